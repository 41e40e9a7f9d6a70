import {
  kvmEntrySource,
  kvmGsi,
  kvmIrqfd,
  kvmRoute,
  kvmTable,
  kvmVm,
  vcpu,
  vcpuVector,
  vfioDevice,
  vfioVector,
} from '../../model/things/virt.ts';
import { counted, type Describers, flag, join, key, list, number, numbered, text } from './describe.ts';
import { UNKNOWN } from './values.ts';

/** VFIO, KVM and virtual CPUs. */
export const virtDescribers: Describers = [
  [
    vfioDevice,
    (s, o, segment) => ({
      label: `VFIO ${segment}`,
      description: list(
        text(s, o, vfioDevice.at.guest) !== '' && `guest ${text(s, o, vfioDevice.at.guest)}`,
        s.flag(o, vfioDevice.at.msix) === true && 'MSI-X',
        s.flag(o, vfioDevice.at.msi) === true && 'MSI',
        s.flag(o, vfioDevice.at.intx) === true && 'INTx',
      ),
      icon: 'plug',
    }),
  ],
  [
    vfioVector,
    (s, o, segment) => ({
      label: `vector ${segment}`,
      description: list(
        s.flag(o, vfioVector.at.used) === true && 'used',
        s.flag(o, vfioVector.at.used) === false && 'not used',
        s.flag(o, vfioVector.at.masked) === true && 'masked',
        text(s, o, vfioVector.at.backend),
        s.num(o, vfioVector.at.irq) >= 0 && `host irq ${s.num(o, vfioVector.at.irq)}`,
        s.num(o, vfioVector.at.virq) >= 0 && `GSI ${s.num(o, vfioVector.at.virq)}`,
        s.num(o, vfioVector.at.eventfd) >= 0 && `eventfd ${s.num(o, vfioVector.at.eventfd)}`,
        s.known(o, vfioVector.at.pasid) !== 0 && `PASID 0x${s.get(o, vfioVector.at.pasid).toString(16)}`,
      ),
      icon: s.flag(o, vfioVector.at.masked) === true || s.flag(o, vfioVector.at.used) === false ? 'bell-slash' : 'bell',
    }),
  ],
  [
    kvmVm,
    (s, o, segment) => ({
      label: `KVM VM ${segment}`,
      description: list(counted(s, o, kvmVm.at.commits, 'commit'), counted(s, o, kvmVm.at.messages, 'message')),
      icon: 'vm',
    }),
  ],
  [
    kvmRoute,
    (s, o, segment) => ({
      label: `GSI ${segment}`,
      description: join(
        list(
          text(s, o, kvmRoute.at.device),
          s.num(o, kvmRoute.at.vector) >= 0 && `vector ${s.num(o, kvmRoute.at.vector)}`,
        ),
        `${key(s, o, 'address')} / ${key(s, o, 'data')}`,
        flag(s, o, 'current') === false && 'outdated',
      ),
      icon: flag(s, o, 'current') === false ? 'warning' : 'arrow-right',
    }),
  ],
  [
    kvmIrqfd,
    (s, o, segment) => ({
      label: `GSI ${segment}`,
      description: list(
        s.num(o, kvmIrqfd.at.fd) >= 0 && `fd ${s.num(o, kvmIrqfd.at.fd)}`,
        s.flag(o, kvmIrqfd.at.resample) === true && 'resample',
        s.flag(o, kvmIrqfd.at.posted) === true &&
          `posted to vCPU ${number(s.num(o, kvmIrqfd.at.vcpu))} vector ${number(s.num(o, kvmIrqfd.at.guestVector))}`,
      ),
      icon: 'plug',
    }),
  ],
  [
    kvmGsi,
    (s, o, segment) => ({
      label: `GSI ${segment}`,
      description: list(
        s.flag(o, kvmGsi.at.level) === undefined ? UNKNOWN : s.flag(o, kvmGsi.at.level) ? 'high' : 'low',
        counted(s, o, kvmGsi.at.changes, 'change'),
      ),
      icon: 'plug',
    }),
  ],
  [
    kvmTable,
    (s, o, segment) => ({
      label: `MSI-X table ${segment}`,
      description: list(
        text(s, o, kvmTable.at.device),
        s.num(o, kvmTable.at.entries) >= 0 && `${s.num(o, kvmTable.at.entries)} entries`,
        `at ${key(s, o, 'base')}`,
      ),
      icon: 'table',
    }),
  ],
  [
    kvmEntrySource,
    (s, o, segment) => {
      const gsi = s.known(o, kvmEntrySource.at.gsi) === 0 ? undefined : s.get(o, kvmEntrySource.at.gsi) | 0;
      return {
        label: `entry ${segment}`,
        description: list(
          s.flag(o, kvmEntrySource.at.held) === true && 'in KVM',
          gsi !== undefined && (gsi < 0 ? 'no source' : `GSI ${gsi}`),
        ),
        icon: gsi === -1 ? 'bell-slash' : 'bell',
      };
    },
  ],
  [
    vcpu,
    (s, o, segment) => {
      const inGuest = s.flag(o, vcpu.at.inGuest);
      const reason = text(s, o, vcpu.at.exitReason);
      return {
        label: `vCPU ${segment}`,
        description: inGuest === true ? 'in guest' : inGuest === false ? list('exited', reason) : '',
        icon: 'chip',
      };
    },
  ],
  [
    vcpuVector,
    (s, o, segment) => {
      const requested = s.flag(o, vcpuVector.at.requested) === true;
      const service = s.flag(o, vcpuVector.at.inService) === true;
      return {
        label: numbered(segment),
        description: list(
          requested && 'requested',
          service && 'in service',
          counted(s, o, vcpuVector.at.accepts, 'accept'),
          counted(s, o, vcpuVector.at.taken, 'injection'),
        ),
        icon: service ? 'play' : requested ? 'bell-dot' : 'symbol-number',
      };
    },
  ],
];
