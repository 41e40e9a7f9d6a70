import { kvmIoctl } from '../../model/events/virt.ts';
import { errno } from '../irq/domain.ts';
import type { OperationSpec } from '../operation.ts';
import type { Vm } from './vm.ts';
import { vmmOperation } from './vm-operations.ts';

const called = (vm: Vm, name: string, ret: number): void => vm.machine.emit(kvmIoctl, vm.object, { name, ret });

/** Calls that KVM refuses where it does not reach the state of a guest (TDX). */
export const apicOperations: readonly OperationSpec[] = [
  vmmOperation(
    'kvm.lapic',
    'Read or write a local APIC',
    'KVM_GET_LAPIC or KVM_SET_LAPIC with the same content. -EINVAL for a guest with private memory: the virtual APIC page belongs to the TDX module.',
    [
      { name: 'vcpu', type: 'number', min: 0, max: 254, default: 0, meaning: 'Virtual CPU, counted from 0.' },
      { name: 'write', type: 'flag', default: false, meaning: 'KVM_SET_LAPIC.' },
    ],
    function* (vm, { write }) {
      called(vm, write === true ? 'KVM_SET_LAPIC' : 'KVM_GET_LAPIC', vm.vcpus.hidden() ? errno.EINVAL : 0);
    },
    (vm, { vcpu }) => (Number(vcpu) < vm.vcpus.count ? undefined : `the machine has no virtual CPU ${String(vcpu)}`),
  ),
  vmmOperation(
    'kvm.createIrqchip',
    'Create PIC and I/O APIC in KVM',
    'KVM_CREATE_IRQCHIP of a machine that runs: -EEXIST, it has them; -EINVAL for a guest with private memory, which must have split irqchip.',
    [],
    function* (vm) {
      called(vm, 'KVM_CREATE_IRQCHIP', vm.vcpus.hidden() ? errno.EINVAL : errno.EEXIST);
    },
  ),
];
