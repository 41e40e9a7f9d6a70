/**
 * What units that remap interrupts and translate accesses say: drivers/iommu/intel (dmar.c, irq_remapping.c; 2.6 to 7.2, and Xen), drivers/iommu/amd
 * (init.c, iommu.c), drivers/iommu/arm/arm-smmu-v3.
 */
import { hexText } from '../../base/hex.ts';
import { bdfOfRequester } from '../../model/bdf.ts';
import { irEnable, irFault, irMode, irSeen } from '../../model/events/remap.ts';
import { smmuFault } from '../../model/events/smmu.ts';
import { amdEvent } from './amd.ts';
import { BDF, fact, functionPath, type KernelLog, LOG, type Requester, refusal, requester, type Say } from './log.ts';

const form = (text: string): RegExp => new RegExp(text.replaceAll('BDF', BDF), 'i');
/** What stands in front of the messages of the VT-d driver. */
const VTD = String.raw`^(?:\(XEN\) )?(?:\[VT-D\] ?)?(?:dmar: |DMAR: ?|DMAR:)*`;

const deviceOf = ({ segment, sid }: Requester): string => `device/${bdfOfRequester(segment ?? 0, sid)}`;

/** Emits the fault of a VT-d unit. The line does not say which unit it was. */
function vtdFault(
  { c }: KernelLog,
  reason: number,
  from: Requester | undefined,
  index: number | undefined,
  text: string,
): true {
  const event = irFault.put().reason(reason);
  if (from !== undefined) event.sid(from.sid);
  if (index !== undefined) event.index(index);
  if (from?.segment !== undefined) event.segment(from.segment);
  if (text !== '') event.text(c.intern(text));
  c.emit(event, c.object(from === undefined ? 'log' : deviceOf(from)));
  return true;
}

/** Events of an SMMU (Arm IHI 0070, 7.3): the name, why the access was refused, and whether the record holds its address. */
const SMMU_EVENTS: Readonly<Record<number, readonly [name: string, why: string, address: boolean]>> = {
  1: ['F_UUT', 'the SMMU does not support the transaction', true],
  2: ['C_BAD_STREAMID', 'the stream ID is beyond the stream table', false],
  3: ['F_STE_FETCH', 'the stream table entry could not be read', false],
  4: ['C_BAD_STE', 'the stream table entry is not valid', false],
  5: ['F_BAD_ATS_TREQ', 'an ATS request is not allowed', true],
  6: ['F_STREAM_DISABLED', 'the stream is disabled', false],
  7: ['F_TRANSL_FORBIDDEN', 'a translated access is not allowed', true],
  8: ['C_BAD_SUBSTREAMID', 'the substream ID is beyond its table', false],
  9: ['F_CD_FETCH', 'the context descriptor could not be read', false],
  10: ['C_BAD_CD', 'the context descriptor is not valid', false],
  11: ['F_WALK_EABT', 'a translation table could not be read', true],
  16: ['F_TRANSLATION', 'the address is not mapped', true],
  17: ['F_ADDR_SIZE', 'an address is too large', true],
  18: ['F_ACCESS', 'the access flag is not set', true],
  19: ['F_PERMISSION', 'the mapping does not allow the access', true],
  32: ['F_TLB_CONFLICT', 'the TLB holds two translations', true],
  33: ['F_CFG_CONFLICT', 'the configuration cache holds two entries', false],
  36: ['E_PAGE_REQUEST', 'a page was requested', true],
  37: ['F_VMS_FETCH', 'the VMS could not be read', false],
};
const SMMU_WHY = new Map(Object.values(SMMU_EVENTS).map(([name, why]) => [name, why]));

/** Words of an event. */
const RAW_WORDS = 4;
const LOW = 0xffffffffn;

function smmuEvent({ c }: KernelLog, smmu: string, name: string, sid: number, iova: bigint | undefined): true {
  const event = smmuFault.put().event(c.intern(name));
  if (iova !== undefined) event.iova(Number(iova & LOW), Number(iova >> 32n));
  const why = SMMU_WHY.get(name);
  if (why !== undefined) event.reason(c.intern(why));
  c.emit(event, c.object(`${smmu}/stream/${hexText(sid)}`));
  return true;
}

/** One more word of an event of an SMMU: with the last one the event is known. */
function rawWord(log: KernelLog, word: string): boolean {
  const { raw } = log;
  if (raw === undefined || raw.words.length >= RAW_WORDS) return false;
  raw.words.push(BigInt(`0x${word}`));
  if (raw.words.length < RAW_WORDS) return false;
  const id = Number(raw.words[0]! & 0xffn);
  const [name, , address] = SMMU_EVENTS[id] ?? [`event ${hexText(id)}`, '', false];
  raw.said = true;
  return smmuEvent(log, raw.smmu, name, Number(raw.words[0]! >> 32n), address ? raw.words[2]! : undefined);
}

/** Faults that no prose says: they are told wherever they stand. */
export const faults: readonly Say[] = [
  {
    // The device with or without segment and 0x, the index in hexadecimal with or without 0x, the reason decimal or with 0x.
    form: form(
      String.raw`INTR-REMAP\]?:? ?Request device \[+BDF\] fault index (?:0x)?([\da-f]+) \[fault reason (0x[\da-f]+|\d+)\]\s*(.*)$`,
    ),
    take: (log, [, segment, bus, slot, fn, index, reason, said]) =>
      vtdFault(log, Number(reason), requester(segment, bus, slot, fn), Number.parseInt(index!, 16), said!),
  },
  {
    // Linux before 4.0 and Xen print the reason in a line of its own; that of Xen is hexadecimal without 0x.
    form: form(String.raw`INTR-REMAP: ?Request device \[+BDF\] fault index (?:0x)?([\da-f]+)\s*$`),
    take: (log, [, segment, bus, slot, fn, index]) => {
      log.request = { from: requester(segment, bus, slot, fn), index: Number.parseInt(index!, 16) };
      return false;
    },
  },
  {
    form: /INTR-REMAP: ?(?:\[fault reason (\d+)\]|reason ([\da-f]+) -)\s*(.*)$/i,
    take: (log, [, decimal, hex, said]) => {
      const { from, index } = log.request ?? {};
      log.request = undefined;
      return vtdFault(log, decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal), from, index, said!);
    },
  },
  {
    form: form(
      String.raw`\bAMD(?:-Vi| IOMMU): (?:Event logged \[)?([A-Z]\w+) (?:device=)?BDF (?:.*\baddress=0x([\da-f]+))?.*\bflags=0x([\da-f]+)\]`,
    ),
    take: (log, [, event, segment, bus, slot, fn, address, flags]) => {
      const from = requester(segment, bus, slot, fn);
      return amdEvent(log, event!, from, deviceOf(from), { address, flags: Number.parseInt(flags!, 16) });
    },
  },
  {
    // The driver of the function prints it where the function is known.
    form: form(
      String.raw`^\S+ BDF: (?:AMD-Vi: )?Event logged \[([A-Z]\w+) (?:domain|vmg_tag)=(?:.*\baddress=0x([\da-f]+))?.*\bflags=0x([\da-f]+)\]`,
    ),
    take: (log, [, segment, bus, slot, fn, event, address, flags]) =>
      amdEvent(log, event!, requester(segment, bus, slot, fn), functionPath(segment, bus, slot, fn), {
        address,
        flags: Number.parseInt(flags!, 16),
      }),
  },
  {
    form: /(?:\barm-smmu-v3 (\S+): )?\bevent: ([CFE]_\w+) client: \S+ sid: 0x([\da-f]{1,8})\b(?:.*? iova: 0x([\da-f]{1,16})\b)?/i,
    take: (log, [, smmu, event, sid, iova]) => {
      const told = log.raw?.said === true;
      log.raw = undefined;
      // Linux 7.2 prints the words of the event first, and then the same in plain text.
      return told
        ? false
        : smmuEvent(
            log,
            smmu === undefined ? 'smmu/0' : log.smmu(smmu),
            event!,
            Number.parseInt(sid!, 16),
            iova === undefined ? undefined : BigInt(`0x${iova}`),
          );
    },
  },
];

/** The unit that has a number, as its name in the trace. */
const UNIT = (m: readonly string[]): string => `irte/dmar${Number(m[1])}`;

/** Remapping is on in all units that the log named. */
function enabled(log: KernelLog, mode: string | undefined): boolean {
  if (!log.facts) return false;
  const { c } = log;
  const units = log.units.size === 0 ? ['irte/0'] : [...log.units].map((n) => `irte/dmar${n}`);
  for (const path of units) {
    const unit = c.object(path);
    c.emit(irSeen.put().kind(c.intern('VT-d')), unit);
    c.emit(irEnable.put().enable(true), unit);
    if (mode !== undefined) c.emit(irMode.put().eim(mode.toLowerCase() === 'x2apic'), unit);
  }
  return true;
}

const IR = `^(?:DMAR-IR: |DMAR: |dmar: |INTR-REMAP: )?`;
const AMD = String.raw`^(?:iommu ivhd\d+: |pci \S+: )?AMD-Vi: (?:iommu ivhd\d+: )?`;
const SMMU = String.raw`^arm-smmu-v3 (\S+): `;

/** What is refused, in a line that is one of a kernel log. */
export const iommuRefusals: readonly Say[] = [
  {
    form: new RegExp(String.raw`${SMMU}event 0x([\da-f]+) received:`, 'i'),
    take: (log, m) => {
      log.raw = { smmu: log.smmu(m[1]!), words: [], said: false };
      return false;
    },
  },
  {
    form: new RegExp(String.raw`${SMMU}\s*0x([\da-f]{16})$`, 'i'),
    when: (log) => log.raw !== undefined,
    take: (log, m) => rawWord(log, m[2]!),
  },
  {
    form: form(
      String.raw`${VTD}\[(DMA (?:Read|Write))(?: NO_PASID| PASID (?:0x)?[\da-f]+)?\] ?Request device \[+BDF\](?: PASID [\da-f]+)? fault addr (?:0x)?([\da-f]+)\s*$`,
    ),
    take: (log, [, what, segment, bus, slot, fn]) => {
      log.request = { from: requester(segment, bus, slot, fn), what: what! };
      return log.refuse(functionPath(segment, bus, slot, fn), `${what}: an access of a device was refused`);
    },
  },
  {
    form: form(
      String.raw`${VTD}\[(DMA (?:Read|Write))[^\]]*\] ?Request device \[+BDF\].* fault addr (?:0x)?([\da-f]+) \[fault reason (?:0x)?[\da-f]+\]\s*(.*)$`,
    ),
    take: (log, [, what, segment, bus, slot, fn, , said]) =>
      log.refuse(
        functionPath(segment, bus, slot, fn),
        said === '' ? `${what}: an access of a device was refused` : said!,
      ),
  },
  {
    form: new RegExp(String.raw`${VTD}\[fault reason (?:0x)?([\da-f]+)\]\s*(.*)$`, 'i'),
    take: (log, [, , said]) => {
      const { from } = log.request ?? {};
      log.request = undefined;
      return log.refuse(
        from === undefined ? 'log' : deviceOf(from),
        said === '' ? 'an access of a device was refused' : said!,
      );
    },
  },
  refusal(
    new RegExp(String.raw`${VTD}DRHD: handling fault status reg (?:0x)?[\da-f]+`, 'i'),
    LOG,
    'a remapping unit reports faults',
  ),
  refusal(
    new RegExp(`${VTD}VT-d detected Invalidation Queue Error`, 'i'),
    LOG,
    'the unit found a bad descriptor in its invalidation queue',
  ),
  refusal(
    new RegExp(`${VTD}VT-d detected Invalidation Time-out Error`, 'i'),
    LOG,
    'a device did not answer an invalidation in time',
  ),
  refusal(
    new RegExp(`${VTD}VT-d detected Invalidation Completion Error`, 'i'),
    LOG,
    'a device answered an invalidation wrongly',
  ),
  refusal(
    new RegExp(String.raw`${VTD}Invalidation (?:Time-out|Completion|Queue) Error \((?:ITE|ICE|IQE)\) cleared`, 'i'),
    LOG,
    'the kernel cleared an error of the invalidation queue',
  ),
  refusal(
    new RegExp(`${VTD}QI (?:HEAD|PRIOR): `, 'i'),
    LOG,
    'a descriptor of the invalidation queue at the time of an error',
  ),
  refusal(
    new RegExp(String.raw`${VTD}DRHD [\da-fx]+: failed to enable fault, interrupt`, 'i'),
    LOG,
    'faults of a unit will not be reported',
  ),
  refusal(
    new RegExp(String.raw`${IR}IR(\d+): can't allocate an IRTE`, 'i'),
    UNIT,
    'no entry of the remapping table is free',
  ),
  refusal(/\bFailed to allocate IRTE\b/i, LOG, 'no entry of the remapping table is free'),
  refusal(/\bcan't allocate irte\b/i, LOG, 'no entry of the remapping table is free'),
  refusal(
    /\bRequested mask [\da-f]+ exceeds the max invalidation handle/i,
    LOG,
    'more entries were asked for than one invalidation covers',
  ),
  refusal(new RegExp(String.raw`${IR}IR(\d+): failed to allocate`, 'i'), UNIT, 'a unit got no remapping table'),
  refusal(
    new RegExp(
      String.raw`${IR}(?:Failed to (?:setup|enable|set up) irq remapping|Not enabling interrupt remapping|ioapic \d+ has no mapping iommu)`,
      'i',
    ),
    LOG,
    'interrupts will not be remapped',
  ),
  refusal(
    new RegExp(
      String.raw`${IR}(?:IRQ remapping was enabled on \S+ but we are not in kdump mode|Failed to copy IR table for)`,
      'i',
    ),
    LOG,
    'the remapping table of the kernel before is not used',
  ),
  refusal(
    new RegExp(`${IR}x2apic is disabled because BIOS sets x2apic opt out bit`, 'i'),
    LOG,
    'the firmware forbids x2APIC',
  ),
  refusal(
    /^(?:DMAR-IR: )?This system BIOS has enabled interrupt remapping/,
    LOG,
    'interrupt remapping of this chipset has an erratum: it is switched off',
  ),
  refusal(
    /timer doesn't work through Interrupt-remapped IO-APIC/,
    LOG,
    'the timer does not tick through the remapped I/O APIC',
  ),
  refusal(new RegExp(`${AMD}Completion-Wait loop timed out`), LOG, 'a unit did not complete its commands in time'),
  refusal(new RegExp(`${AMD}Command buffer timeout`), LOG, 'a unit did not take commands in time'),
  refusal(new RegExp(`${AMD}IOMMU (?:event|Event) log overflow`), LOG, 'events of a unit were lost: its log was full'),
  refusal(
    new RegExp(`${AMD}(?:IOMMU )?GA Log (?:overflow|restarting)`, 'i'),
    LOG,
    'wake-ups of virtual CPUs were lost: the log of the unit was full',
  ),
  refusal(new RegExp(`${AMD}GA log notifier failed`), LOG, 'a virtual CPU was not woken up'),
  refusal(new RegExp(`${AMD}Disabling interrupt remapping`), LOG, 'interrupts will not be remapped'),
  refusal(new RegExp(String.raw`${AMD}(?:Event logged \[)`), LOG, 'a unit reports an event'),
  refusal(new RegExp(`${SMMU}(?:EVTQ|PRIQ) (?:overflow|write aborted)`), LOG, 'events of an SMMU were lost'),
  refusal(
    new RegExp(`${SMMU}(?:CMDQ|EVTQ|PRIQ|GERROR) MSI write aborted`),
    LOG,
    'an SMMU could not send its own interrupt',
  ),
  refusal(new RegExp(`${SMMU}CMDQ (?:error|timeout)`), LOG, 'an SMMU did not take commands'),
  refusal(new RegExp(`${SMMU}CMD_SYNC timeout`), LOG, 'an SMMU did not complete its commands in time'),
  refusal(
    new RegExp(`${SMMU}(?:failed to allocate MSIs|msi_domain absent)`),
    LOG,
    'an SMMU has no MSIs: it uses wired interrupts',
  ),
  refusal(new RegExp(`${SMMU}no (?:evtq|gerr|priq) irq`), LOG, 'events of an SMMU will not be reported'),
  refusal(
    new RegExp(`${SMMU}(?:failed to (?:enable|disable|setup) (?:\\w+ )?irqs?|unexpected global error)`),
    LOG,
    'an SMMU has trouble with its interrupts',
  ),
  refusal(/^arm-smmu(?:-v3)? \S+: .*\bevent\b/, LOG, 'an SMMU reports an event'),
  refusal(/^arm-smmu \S+: Unhandled context fault/, LOG, 'an SMMU refused an access'),
  refusal(/\bNo interrupt remapping support\b/, LOG, 'nothing remaps interrupts: a device could send any'),
  refusal(
    /\bMSI interrupts are not secure, they cannot be isolated by the platform/,
    LOG,
    'nothing remaps interrupts: a device could send any',
  ),
];

/** What there is and how it is set up. */
export const iommuFacts: readonly Say[] = [
  {
    form: new RegExp(`${SMMU}ias \\d+-bit`),
    take: (log, m) => {
      log.smmu(m[1]!);
      return log.fact('log', 'an SMMU');
    },
  },
  {
    form: /^(?:DMAR: |dmar: |IOMMU )?(?:dmar)?(\d+): reg_base_addr .* ecap [\da-fx]+/i,
    take: (log, m) => {
      if (log.units.size < 1024) log.units.add(Number(m[1]));
      return log.fact(`irte/dmar${Number(m[1])}`, 'unit');
    },
  },
  {
    form: new RegExp(`${IR}Enabled IRQ remapping in (x2?apic) mode`, 'i'),
    take: (log, m) => enabled(log, m[1]),
  },
  { form: new RegExp(`${IR}Enabled Interrupt-remapping`, 'i'), take: (log) => enabled(log, undefined) },
  fact(/^DMAR-IR: IOAPIC id \d+ under DRHD base\s+0x[\da-f]+ IOMMU (\d+)/i, UNIT, 'an I/O APIC behind the unit'),
  fact(/^DMAR-IR: HPET id \d+ under DRHD base/i, LOG, 'an HPET behind a unit'),
  fact(
    new RegExp(String.raw`${IR}Copied IR table for dmar(\d+) from previous kernel`, 'i'),
    UNIT,
    'the table of the kernel before is kept',
  ),
  fact(/^DMAR-IR: (?:Queued invalidation will be enabled|Use 'intremap=)/, LOG, 'interrupt remapping'),
  fact(
    new RegExp(`${AMD}(?:Interrupt remapping enabled|X2APIC enabled|Virtual APIC enabled)`, 'i'),
    () => 'iommu/amdvi',
    'interrupt remapping',
  ),
  fact(/^AMD-Vi: (?:ivhd|IOMMU).*\bX2APIC\b|^AMD-Vi: Extended features/, () => 'iommu/amdvi', 'features'),
  fact(/^(?:DMAR: )?IOMMU enabled$/, LOG, 'an IOMMU is enabled'),
];
