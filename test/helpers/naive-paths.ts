// Deliveries taken from the text of a log, line by line, by rules that know nothing of the model: which line follows which in
// the same thread, which address, INTID or vector it names. Paths are compared with them.

/** A line of a delivery: number from 1, and the stage that it stands for. */
export interface NaiveHop {
  readonly line: number;
  readonly stage: string;
}

interface Line {
  readonly line: number;
  readonly thread: string;
  readonly name: string;
  readonly text: string;
}

const QEMU = /^(\d+)@\d+\.\d+:(\w+) ?(.*)$/;

function qemuLines(log: string): Line[] {
  return log.split('\n').flatMap((text, i) => {
    const match = QEMU.exec(text.trimEnd());
    return match ? [{ line: i + 1, thread: match[1]!, name: match[2]!, text: match[3]! }] : [];
  });
}

/** The lines of one thread that follow a line, without those of others, as long as they match in order (all are needed up to `least`). */
function chain(
  lines: readonly Line[],
  from: number,
  expected: readonly (readonly [RegExp, string | undefined])[],
): NaiveHop[] {
  const hops: NaiveHop[] = [];
  const { thread } = lines[from]!;
  let at = from;
  for (const [pattern, stage] of expected) {
    do at++;
    while (at < lines.length && lines[at]!.thread !== thread);
    const line = lines[at];
    if (!line || !pattern.test(`${line.name} ${line.text}`)) return hops;
    if (stage !== undefined) hops.push({ line: line.line, stage });
  }
  return hops;
}

/** x86 with VT-d: a cause of nvme or e1000e, its message, what the unit did with it, and the local APIC. */
export function x86Deliveries(log: string): NaiveHop[][] {
  const lines = qemuLines(log);
  return lines.flatMap((line, i) => {
    if (!/^(pci_nvme_irq_msix|e1000e_irq_msix_notify_vec)$/.test(line.name)) return [];
    const hops = chain(lines, i, [
      [/^memory_region_ops_write .*addr 0xfee\w+ .*name 'vtd-ir'/, 'message'],
      [/^vtd_ir_remap_msi_req /, 'remap'],
      [/^vtd_ir_irte_get /, 'remap'],
      [/^vtd_ir_remap index/, 'remap'],
      [/^vtd_ir_remap_type MSI/, undefined],
      [/^vtd_ir_remap_msi /, 'remap'],
      [/^apic_deliver_irq /, 'accept'],
    ]);
    return hops.length === 6 ? [[{ line: line.line, stage: 'cause' }, ...hops]] : [];
  });
}

/** Arm: the write of the doorbell, the tables of the ITS, the acknowledge of the LPI and its end. */
export function armDeliveries(log: string): NaiveHop[][] {
  const lines = qemuLines(log);
  const found: NaiveHop[][] = [];
  /** INTIDs that were sent and not acknowledged. */
  const pending = new Set<number>();
  for (const [i, line] of lines.entries()) {
    const ack = /^gicv3_icc_iar1_read .*value 0x(\w+)/.exec(`${line.name} ${line.text}`);
    if (ack) pending.delete(Number.parseInt(ack[1]!, 16));
    if (line.name !== 'gicv3_its_translation_write') continue;
    const hops = chain(lines, i, [
      [/^gicv3_its_dte_read .*valid 1/, 'remap'],
      [/^gicv3_its_ite_read .*valid 1/, 'remap'],
      [/^gicv3_its_cte_read .*valid 1/, 'remap'],
    ]);
    const intid = Number(/intid 0x\w+/.exec(lines[i + 2]?.text ?? '')?.[0].slice(6) ?? Number.NaN);
    if (hops.length < 3 || Number.isNaN(intid)) continue;
    // A second message for an LPI that is pending merges with the first.
    if (pending.has(intid)) continue;
    pending.add(intid);
    const hex = intid.toString(16);
    const taken = lines.findIndex(
      (l, at) => at > i && l.name === 'gicv3_icc_iar1_read' && l.text.endsWith(`value 0x${hex}`),
    );
    if (taken < 0) continue;
    const cpu = /cpu 0x(\w+)/.exec(lines[taken]!.text)![1];
    const ended = lines.findIndex(
      (l, at) => at > taken && l.name === 'gicv3_icc_eoir_write' && l.text.includes(`cpu 0x${cpu} value 0x${hex}`),
    );
    if (ended < 0) continue;
    found.push([
      { line: line.line, stage: 'remap' },
      ...hops,
      { line: lines[taken]!.line, stage: 'inject' },
      { line: lines[ended]!.line, stage: 'eoi' },
    ]);
  }
  return found;
}

const FTRACE = /^ *(.+)-(\d+) +\[(\d+)\] \S+ +\d+\.\d+: (\w+): (.*)$/;

/** The host of a virtual machine: the handler of VFIO, the irqfd, the message, the virtual local APIC, injection and end. */
export function kvmDeliveries(log: string): NaiveHop[][] {
  const lines = log.split('\n').flatMap((text, i) => {
    const m = FTRACE.exec(text);
    return m ? [{ line: i + 1, pid: m[2]!, cpu: m[3]!, name: m[4]!, text: m[5]! }] : [];
  });
  /** The virtual CPU that a thread runs. */
  const vcpus = new Map<string, string>();
  for (const line of lines) {
    const vcpu = /^vcpu (\d+)/.exec(line.text)?.[1];
    if (line.name === 'kvm_entry' && vcpu !== undefined) vcpus.set(line.pid, vcpu);
  }
  const found: NaiveHop[][] = [];
  for (const [i, entry] of lines.entries()) {
    const irq = /^irq=(\d+) name=vfio-msix/.exec(entry.text)?.[1];
    if (entry.name !== 'irq_handler_entry' || irq === undefined) continue;
    const hops: NaiveHop[] = [{ line: entry.line, stage: 'handler' }];
    let target: readonly [vcpu: string, vector: number] | undefined;
    let at = i + 1;
    for (; at < lines.length; at++) {
      const line = lines[at]!;
      if (line.cpu !== entry.cpu) continue;
      if (line.name === 'irqfd_wakeup') hops.push({ line: line.line, stage: 'signal' });
      else if (line.name === 'kvm_msi_set_irq') hops.push({ line: line.line, stage: 'route' });
      else if (line.name === 'kvm_apic_accept_irq') {
        hops.push({ line: line.line, stage: 'accept' });
        const m = /apicid (\w+) vec (\d+)/.exec(line.text)!;
        target = [String(Number.parseInt(m[1]!, 16)), Number(m[2])];
      } else if (line.name === 'irq_handler_exit') {
        hops.push({ line: line.line, stage: 'handler' });
        break;
      }
    }
    if (!target) continue;
    const inject = `IRQ 0x${target[1].toString(16)}`;
    const injected = (line: (typeof lines)[number]): boolean =>
      line.name === 'kvm_inj_virq' && line.text.startsWith(inject) && vcpus.get(line.pid) === target![0];
    const accepted = (line: (typeof lines)[number]): boolean =>
      line.name === 'kvm_apic_accept_irq' && line.text.startsWith(`apicid ${target![0]} vec ${target![1]} `);
    const own = lines.findIndex((line) => line.line === hops.find((hop) => hop.stage === 'accept')!.line);
    // An interrupt that meets one which is still requested is served by its injection.
    const last = lines.findLastIndex((line, j) => j < own && (injected(line) || accepted(line)));
    if (last >= 0 && accepted(lines[last]!)) continue;
    const taken = lines.findIndex((line, j) => j > own && injected(line));
    if (taken < 0) continue;
    const ended = lines.findIndex(
      (line, j) => j > taken && line.name === 'kvm_eoi' && line.text === `apicid ${target![0]} vector ${target![1]}`,
    );
    hops.push({ line: lines[taken]!.line, stage: 'inject' });
    if (ended >= 0) hops.push({ line: lines[ended]!.line, stage: 'eoi' });
    found.push(hops);
  }
  return found;
}
