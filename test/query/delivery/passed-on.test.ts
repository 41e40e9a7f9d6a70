// An interrupt that the host passes on to a guest: the handler of the host is no delivery to the guest. The records are those of an nvme
// assigned to a guest (x86-nested-vfio, l1/l2-nvme-l1-ftrace.txt, line 352790 on), with some of them taken away.
import assert from 'node:assert/strict';
import { type PathView, pathAt } from '../../../src/query/delivery/path.ts';
import { importText } from '../../helpers/fixtures.ts';

const HEAD = `# tracer: nop
#
# entries-in-buffer/entries-written: 12/12   #P:4
#
`;
const LINES = {
  entry: '          <idle>-0       [000] d.h1.    54.255731: irq_handler_entry: irq=29 name=vfio-msix[1](0000:00:03.0)',
  fire: '          <idle>-0       [000] d.h1.    54.255752: vfio_msihandler: (vfio_msihandler+0x4/0x20 [vfio_pci_core]) irq=29',
  wakeup: '          <idle>-0       [000] d.h2.    54.255769: irqfd_wakeup: (irqfd_wakeup+0x4/0x200 [kvm])',
  msi: '          <idle>-0       [000] d.h2.    54.255779: kvm_msi_set_irq: dst 0 vec 34 (Fixed|physical|edge)',
  accept: '          <idle>-0       [000] d.h2.    54.255792: kvm_apic_accept_irq: apicid 0 vec 34 (Fixed|edge)',
  exit: '          <idle>-0       [000] d.h1.    54.255824: irq_handler_exit: irq=29 ret=handled',
  inject: ' qemu-system-x86-736     [001] .....    54.260408: kvm_inj_virq: IRQ 0x22',
  eoi: ' qemu-system-x86-736     [001] .....    54.261927: kvm_eoi: apicid 0 vector 34',
} as const;
type Line = keyof typeof LINES;
const ALL = Object.keys(LINES) as Line[];

/** A whole delivery before it, so that the trace records every kind; then the one in question. */
const EARLIER = ALL.map((name) => LINES[name].replace(/ 54\./, ' 53.')).join('\n');
const without = (...gone: readonly Line[]): string =>
  ALL.filter((name) => !gone.includes(name))
    .map((name) => LINES[name])
    .join('\n');
const later = '          <idle>-0       [003] d.h1.    54.900000: local_timer_entry: vector=236';

function path(text: string): PathView {
  const trace = importText(`${HEAD}${text}\n`);
  const lines = text.split('\n');
  const line = lines.findLastIndex((l) => l.includes('irq_handler_entry')) + HEAD.split('\n').length;
  return pathAt(trace, trace.lastAtLine(line))!;
}

describe('interrupts that the host passes on to a guest', () => {
  it('are delivered when the virtual CPU took them', () => {
    assert.equal(path(`${EARLIER}\n${without()}`).delivered, true);
    assert.equal(path(`${EARLIER}\n${without('eoi')}\n${later}`).delivered, true);
    assert.equal(path(`${EARLIER}\n${without('inject')}\n${later}`).delivered, true, 'software ended it');
  });

  it('are not, where KVM sent the message and no local APIC accepted it', () => {
    const { delivered, reason, hops } = path(`${EARLIER}\n${without('accept', 'inject', 'eoi')}\n${later}`);
    assert.equal(delivered, false);
    assert.equal(reason, 'KVM sent the message, and no local APIC accepted it');
    assert.equal(hops.filter(({ stage }) => stage === 'route').length, 1);
  });

  it('are one delivery, where KVM could not deliver the message in the handler and a worker decodes it again', () => {
    const worker = (cpu: number, text: string): string =>
      `     kworker/${cpu}:1-99      [00${cpu}] .....    54.25583${cpu}: ${text}`;
    const again = (cpu: number, vector = 34): string =>
      [
        worker(cpu, 'kvm_set_irq: gsi 25 level 1 source 0'),
        worker(cpu, `kvm_msi_set_irq: dst 0 vec ${vector} (Fixed|physical|edge)`),
        worker(cpu, `kvm_apic_accept_irq: apicid 0 vec ${vector} (Fixed|edge)`),
        worker(cpu, 'kvm_set_irq: gsi 25 level 0 source 0'),
      ].join('\n');
    const tried = without('accept', 'inject', 'eoi');
    const taken = `${LINES.inject}\n${LINES.eoi}`;
    const stages = 'handler signal signal route handler signal route accept inject eoi';
    for (const cpu of [0, 2]) {
      const { hops, delivered } = path(`${EARLIER}\n${tried}\n${again(cpu)}\n${taken}`);
      assert.deepEqual([hops.map(({ stage }) => stage).join(' '), delivered], [stages, true], `a worker on CPU ${cpu}`);
    }
    const other = path(`${EARLIER}\n${tried}\n${again(2, 35)}\n${later}`);
    assert.equal(other.delivered, false, 'the message of another interrupt');
    assert.equal(other.hops.filter(({ stage }) => stage === 'route').length, 1);
    const twice = without().replace(LINES.msi, `${LINES.msi}\n${LINES.msi}`);
    assert.deepEqual(path(`${EARLIER}\n${twice}`).hops.filter(({ stage }) => stage === 'accept').length, 1);
    assert.equal(path(`${EARLIER}\n${twice}`).delivered, true, 'the same record twice');
  });

  it('are not known to be, where KVM sent the message and its CPU recorded nothing more', () => {
    const { delivered, reason } = path(`${EARLIER}\n${without('accept', 'inject', 'eoi', 'exit')}\n${later}`);
    assert.equal(delivered, null);
    assert.equal(reason, 'nothing follows the route stage in this trace');
  });

  it('are not known to be, where the eventfd was signalled and nothing follows', () => {
    for (const gone of [['msi'], ['wakeup', 'msi']] as const) {
      const { delivered, reason } = path(`${EARLIER}\n${without(...gone, 'accept', 'inject', 'eoi')}\n${later}`);
      assert.equal(delivered, null, gone.join());
      assert.equal(reason, 'nothing follows the signal stage in this trace');
    }
  });

  it('are not known to be, where they wait in the local APIC of the virtual CPU', () => {
    const { delivered, reason } = path(`${EARLIER}\n${without('inject', 'eoi')}\n${later}`);
    assert.equal(delivered, null);
    assert.match(reason!, /^requested since step \d+ \(54\.255792\); no record shows that the processor took it/);
  });

  it('are not known to be, where events of the CPU were lost behind the handler', () => {
    const lost = `${LINES.entry}\n${LINES.fire}\nCPU:0 [LOST 12 EVENTS]\n${LINES.exit}\n${later}`;
    const { delivered, reason } = path(`${EARLIER}\n${lost}`);
    assert.equal(delivered, null);
    assert.match(reason!, /lost events of CPU 0/);
  });

  it('end with the eventfd where the trace records nothing of KVM: a program in user space waits for it', () => {
    const user = `${LINES.entry}\n${LINES.fire}\n${LINES.exit}\n${later}`;
    assert.deepEqual([path(user).delivered, path(user).reason], [true, null]);
  });
});
