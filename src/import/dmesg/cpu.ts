/**
 * What the irq core, the interrupt controllers and the x86 vector domain say: kernel/irq, arch/x86/kernel (irq.c, apic/vector.c, apic/apic.c,
 * apic/io_apic.c; also do_IRQ of kernels before 5.8), kernel/softirq.c, drivers/irqchip (GICv3, ITS, GICv2m).
 */
import { CPU, fact, IRQ, type KernelLog, LOG, refusal, type Say } from './log.ts';

const VECTOR = (m: readonly string[]): string => vectorPath(Number(m[1]), Number(m[2]));
const vectorPath = (cpu: number, vector: number): string =>
  cpu < 0x10000 && vector < 256 ? `cpu/${cpu}/vector/${vector}` : 'log';

const GENIRQ = String.raw`^(?:genirq(?:/\w+)?: |irq_matrix: )?`;
const core = (text: string): RegExp => new RegExp(GENIRQ + text, 'i');
const ITS = (m: readonly string[], log: KernelLog): string => log.its(m[1]!);
const SOME_ITS = (_: readonly string[], log: KernelLog): string => log.someIts;

/** The irq of which handlers are listed; a line of the list. */
const uncared = (log: KernelLog, m: readonly (string | undefined)[], reason: string): true => {
  log.uncared = Number(m[1]);
  return log.refuse(`irq/${Number(m[1])}`, reason);
};

/** What is refused, lost or wrong. */
export const cpuRefusals: readonly Say[] = [
  refusal(/^(?:\w+: )?(\d+)\.(\d+) No irq handler for vector\b/, VECTOR, 'no irq owns the vector'),
  refusal(/^No irq handler for (\d+)\.(\d+)$/, VECTOR, 'no irq owns the vector'),
  refusal(/^(?:\w+: )?cpu: (\d+) vector: (\d+) no irq handler for vector/i, VECTOR, 'no irq owns the vector'),
  refusal(/^(?:\w+: )?cannot handle IRQ (\d+)/i, IRQ, 'no handler is set up for the irq'),
  refusal(/^unexpected IRQ trap at (?:vector|irq) [\da-f]+/i, LOG, 'an interrupt came at a vector that nothing uses'),
  {
    form: /^spurious (?:APIC )?interrupt (?:\(vector 0x([\da-f]{1,2})\)|through vector ([\da-f]{1,2})) on CPU#(\d+)[.,]/i,
    take: (log, m) =>
      log.refuse(vectorPath(Number(m[3]), Number.parseInt(m[1] ?? m[2]!, 16)), 'an interrupt without a cause arrived'),
  },
  refusal(/^spurious APIC interrupt on CPU#(\d+)/i, CPU, 'an interrupt without a cause arrived'),
  refusal(/^Spurious LAPIC timer interrupt on cpu (\d+)/i, CPU, 'a timer interrupt came while no timer runs'),
  refusal(/^APIC error on CPU(\d+): /, CPU, 'the local APIC reports an error'),
  refusal(/\bAPIC: Stale IRR: /, LOG, 'interrupts of before wait in the local APIC'),
  refusal(/^CPU(\d+): Unexpected LVT thermal interrupt/, CPU, 'an interrupt without a handler arrived'),
  {
    form: core(String.raw`irq (\d+): nobody cared\b`),
    take: (log, m) => uncared(log, m, 'no handler said that an interrupt was its own'),
  },
  {
    form: core(String.raw`irq event (\d+): bogus return value`),
    take: (log, m) => uncared(log, m, 'a handler returned a value that means nothing'),
  },
  {
    form: core(String.raw`Disabling IRQ #(\d+)`),
    take: (log, m) => {
      log.uncared = -1;
      return log.refuse(IRQ(m as string[]), 'the irq is switched off: too many of its interrupts were not handled');
    },
  },
  {
    form: /^\[<[\da-f()ptrval_]+>\] (?!\S+\+0x)(\S+(?: \[\w+\])?)(?: threaded \[<[\da-f()ptrval_]+>\] (\S+.*))?$/i,
    when: (log) => log.uncared >= 0,
    take: (log) => log.fact(`irq/${log.uncared}`, 'a handler of the irq'),
  },
  refusal(core(String.raw`Flags mismatch irq (\d+)\.`), IRQ, 'two drivers ask for the irq in ways that do not fit'),
  refusal(
    core(String.raw`(?:Failed to request resources for|Invalid attempt to share NMI for) \S+ \(irq (\d+)\)`),
    IRQ,
    'the irq could not be requested',
  ),
  refusal(core(String.raw`Failed to setup NMI delivery: irq (\d+)`), IRQ, 'the irq could not be requested'),
  refusal(
    core(String.raw`Threaded irq requested with handler=NULL and !ONESHOT for .* ?\(?irq (\d+)`),
    IRQ,
    'the irq could not be requested',
  ),
  refusal(core(String.raw`Setting trigger mode \d+ for irq (\d+) failed`), IRQ, 'the trigger mode could not be set'),
  refusal(
    core(String.raw`irq (\d+) uses trigger mode \d+; requested \d+`),
    IRQ,
    'the irq has another trigger mode than was asked for',
  ),
  refusal(
    core(String.raw`exiting task ".*" \(\d+\) is an active IRQ thread \(irq (\d+)\)`),
    IRQ,
    'the thread of the irq died',
  ),
  refusal(
    core(String.raw`IRQ (\d+) device .* returned IRQ_WAKE_THREAD`),
    IRQ,
    'the handler woke a thread that there is not',
  ),
  refusal(core(String.raw`Spurious(?: \w+)? percpu IRQ(\d+) on CPU\d+`), IRQ, 'an interrupt without a handler arrived'),
  refusal(
    core(String.raw`irq_chip \S+ did not update eff\. affinity mask of irq (\d+)`),
    IRQ,
    'the effective affinity is not known',
  ),
  refusal(
    core(String.raw`Eff\. affinity \S+ of IRQ (\d+) contains only offline CPUs`),
    IRQ,
    'the irq goes to a CPU that is offline',
  ),
  refusal(core(String.raw`IRQ ?(\d+): set affinity failed\(-?\d+\)`), IRQ, 'the irq could not be moved'),
  refusal(/^(?:Cannot|Broke|cannot) (?:set )?affinity for irq (\d+)/i, IRQ, 'the irq could not be kept on its CPUs'),
  refusal(core(String.raw`IRQ ?(\d+):? no longer affine to CPU`), IRQ, 'the irq left the CPUs of its affinity'),
  refusal(
    /^(?:\S+: )?irq (\d+): Affinity broken due to vector space exhaustion/i,
    IRQ,
    'no vector is free on the CPUs of the affinity',
  ),
  refusal(
    /^(?:\S+: )?IRQ fixup: irq (\d+) move in progress, old vector/i,
    IRQ,
    'a move was cut short by a CPU that goes offline',
  ),
  refusal(
    /^(?:\S+: )?Moved interrupt pending in old target APIC (\d+)/i,
    IRQ,
    'an interrupt waits on the vector that the irq left',
  ),
  refusal(
    /^(?:\S+: )?IRQ (\d+) schedule cleanup for offline CPU/i,
    IRQ,
    'a vector was to be freed on a CPU that is offline',
  ),
  refusal(
    /^(?:\S+: )?CPU (\d+) has \d+ vectors, \d+ available\. Cannot disable CPU/,
    CPU,
    'the other CPUs have too few vectors free',
  ),
  refusal(
    /^(?:\S+: )?CPU (\d+) disable failed: CPU has \d+ vectors assigned/,
    CPU,
    'the other CPUs have too few vectors free',
  ),
  refusal(
    /^(?:\S+: )?Managed startup (?:for )?irq (\d+), (?:no vector available|but no CPU)/i,
    IRQ,
    'a managed irq has no vector set aside',
  ),
  refusal(
    /^(?:\S+: )?Interrupt reservation exceeds available resources/,
    () => 'domain/VECTOR',
    'more vectors are promised than are free',
  ),
  refusal(
    /^(?:\S+: )?Reserved vectors \d+ > available \d+/,
    () => 'domain/VECTOR',
    'more vectors are promised than are free',
  ),
  refusal(
    /^(?:\S+: )?irq: (?:no irq domain found for|type mismatch, failed to map)/,
    LOG,
    'an irq could not be mapped',
  ),
  refusal(/^\.\.MP-BIOS bug: 8254 timer not connected to IO-APIC/, LOG, 'the timer does not tick through the I/O APIC'),
  refusal(
    /^(?:Kernel panic - not syncing: )?IO-APIC \+ timer doesn't work!/,
    LOG,
    'the timer does not tick through the I/O APIC',
  ),
  refusal(
    /^(?:.*: )?x2apic: IRQ remapping doesn't support X2APIC mode/,
    LOG,
    'x2APIC is not used: interrupts are not remapped',
  ),
  refusal(
    /^NOHZ(?: tick-stop error)?: .*local_?softirq|^NOHZ tick-stop error: .*softirq work is pending/i,
    LOG,
    'softirqs wait on a CPU that goes idle',
  ),
  refusal(/^softirq: huh, entered softirq \d+/, LOG, 'a softirq changed the preemption count'),
  // Interrupt controllers of Arm.
  refusal(/^ITS queue (?:timeout|not draining)\b/, SOME_ITS, 'the ITS did not take its commands in time'),
  refusal(/^ITS cmd \S+ failed/, SOME_ITS, 'the ITS did not complete a command'),
  refusal(
    /^ITS@(?:0x)?([\da-f]+): .*\bTable too large, reduce ids\b/i,
    ITS,
    'a table of the ITS is smaller than its ids',
  ),
  refusal(
    /^ITS@(?:0x)?([\da-f]+): .*(?:too large, reduce ITS pages|doesn't stick|[Ff]ailed|giving up|Unable|No ITSList)/i,
    ITS,
    'the ITS could not be set up as wanted',
  ),
  refusal(/^ITS virtual pending table not cleaning/, SOME_ITS, 'the ITS did not complete a command'),
  refusal(
    /^(?:GICv3: )?CPU\d+: (?:Failed to disable|Timeout while disabling|Booted with) LPIs|^GICv3: CPU\d+: Booted with LPIs enabled/,
    LOG,
    'LPIs of the kernel before are still on',
  ),
  refusal(/^(?:GICv3: )?RWP timeout, gone fishing/, LOG, 'the GIC did not complete a write in time'),
  refusal(/^GIC: PPI INTID\d+ is secure or misconfigured/, LOG, 'a private interrupt cannot be set up'),
  refusal(/^DevId [\da-f]+ clashes with GICv4 VPE proxy device/i, LOG, 'two devices have one DeviceID'),
];

/** What there is and how it is set up. */
export const cpuFacts: readonly Say[] = [
  fact(/^NR_IRQS: ?\d+/, LOG, 'numbers of irqs'),
  fact(/^(?:APIC: )?Switch(?:ed)? (?:to symmetric I\/O mode|APIC routing)/, LOG, 'mode of the APICs'),
  fact(/^(?:\S+: )?x2apic(?::| )(?:enabled|disabled|already enabled)/i, LOG, 'mode of the APICs'),
  fact(/^IOAPIC\[(\d+)\]: (?:apic_id|Assigned)/, LOG, 'an I/O APIC'),
  fact(/^\.\.TIMER: vector=0x/, LOG, 'the timer at the I/O APIC'),
  fact(/^(?:smpboot: )?CPU ?(\d+) is now offline/, CPU, 'the CPU is offline'),
  fact(/^(?:psci: )?CPU ?(\d+)(?:: shutdown| killed)/, CPU, 'the CPU is offline'),
  fact(/^CPU(\d+): Booted secondary processor/, CPU, 'the CPU is online'),
  fact(/^smpboot: Booting Node \d+ Processor (\d+) APIC/, CPU, 'the CPU starts'),
  fact(/^ITS@(?:0x)?([\da-f]+): /i, ITS, 'set-up of the ITS'),
  fact(/^ITS \[mem 0x([\da-f]+)-/i, ITS, 'an ITS'),
  fact(/^(?:ITS: |GICv?\d?m?: |GICv\dm: )/, LOG, 'interrupt controller'),
  fact(/^(?:kvm \[\d+\]: )(?:vgic|GICv)/, LOG, 'virtual interrupt controller'),
  fact(
    /^(?:kvm_\w+: |SVM: |kvm: )(?:x2?AVIC|AVIC|Virtual GIF|APICv?)\b.*enabled/i,
    LOG,
    'virtual interrupt controller',
  ),
  fact(
    /^ACPI: (?:PCI: )?Interrupt link (\S+) configured for IRQ (\d+)/,
    (m) => `irq/${Number(m[2])}`,
    'a legacy interrupt line',
  ),
  fact(/^ACPI: IRQ(\d+) used by override/, IRQ, 'a legacy interrupt line'),
];
