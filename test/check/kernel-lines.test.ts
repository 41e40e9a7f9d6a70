// Each line of a kernel log that tells of an interrupt is read, and a rule says what it means. The forms are those that kernels print; those
// with a source are from reports.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import { rules } from '../../src/check/rules.ts';
import { importText } from '../helpers/fixtures.ts';
import { found, foundByAll, made, verdict } from './made.ts';

/** The line, the rule, and its title. */
const LINES: readonly (readonly [line: string, rule: string, title: string])[] = [
  [
    'irq 16: nobody cared (try booting with the "irqpoll" option)',
    'F80',
    'irq 16: nobody cared, the kernel switches it off',
  ],
  ['Disabling IRQ #16', 'F80', 'irq 16: nobody cared, the kernel switches it off'],
  // other-iso-rsyslog.txt of the cases
  ['do_IRQ: 0.55 No irq handler for vector', 'F24', 'an interrupt arrived at vector 55 of CPU 0, which no irq owns'],
  [
    '__common_interrupt: 1.55 No irq handler for vector',
    'F24',
    'an interrupt arrived at vector 55 of CPU 1, which no irq owns',
  ],
  ['No irq handler for 3.35', 'F24', 'an interrupt arrived at vector 35 of CPU 3, which no irq owns'],
  [
    'Spurious interrupt (vector 0x21) on CPU#2. Acked',
    'F24',
    'an interrupt arrived at vector 33 of CPU 2, which no irq owns',
  ],
  ['IRQ151: set affinity failed(-28).', 'F21', 'irq 151 found no free vector on the CPUs that it may go to'],
  [
    'Managed startup irq 33, no vector available',
    'F21',
    'irq 33 found no free vector of those set aside for managed irqs',
  ],
  ['Interrupt reservation exceeds available resources', 'F21', 'More vectors are promised than are free'],
  [
    'CPU 2 has 12 vectors, 3 available. Cannot disable CPU',
    'F23',
    'CPU 2 cannot go offline: 12 vectors would have to move, 3 are free elsewhere',
  ],
  [
    'IRQ fixup: irq 41 move in progress, old vector 36',
    'F25',
    'irq 41 had to give up vector 36 before its move was complete',
  ],
  [
    'Moved interrupt pending in old target APIC 41',
    'F25',
    'irq 41 still has an interrupt that waits on the vector it moved away from',
  ],
  [
    'IRQ 41 schedule cleanup for offline CPU 1',
    'F20',
    'irq 41 ended its move only after CPU 1, where it was before, had gone offline',
  ],
  ['IRQ41: set affinity failed(-16).', 'F26', 'irq 41 could not be moved: the move before is not complete'],
  ["DMAR-IR: IR1: can't allocate an IRTE", 'F36', 'An irq got no entry of the remapping table of dmar1'],
  ['DMAR-IR: Failed to allocate IRTE', 'F36', 'An irq got no entry of the remapping table'],
  [
    'vfio_iommu_type1_attach_group: No interrupt remapping support.  Use the module param "allow_unsafe_interrupts" to enable VFIO IOMMU support on this platform',
    'F38',
    'VFIO refused a device: nothing remaps its interrupts',
  ],
  [
    'vfio-pci 0000:03:00.0: irq bypass producer (token 00000000d1c8e2b4) registration fails: -22',
    'F59',
    'The producer of an interrupt could not be registered (-22): it is not posted',
  ],
  [
    'irq bypass consumer (eventfd 00000000d1c8e2b4) registration fails: -16',
    'F59',
    'The consumer of an interrupt could not be registered (-16): it is not posted',
  ],
  ['PI descriptor SN field set before blocking', 'F55', 'A virtual CPU blocks with SN set'],
  [
    'ITS@0x0000000008080000: Devices Table too large, reduce ids 20->19',
    'F76',
    'A table of the ITS is smaller than its ids',
  ],
  ['ITS queue timeout (17408 17344)', 'F79', 'The ITS stopped taking commands'],
  ['ITS cmd its_build_mapd_cmd failed', 'F79', 'The ITS stopped taking commands'],
  ['DMAR: VT-d detected Invalidation Time-out Error: SID 0', 'F83', 'An invalidation of the remapping unit failed'],
  [
    'DMAR: [DMA Write NO_PASID] Request device [65:00.0] fault addr 0x0 [fault reason 0x05] PTE Write access is not set',
    'F10',
    '65:00.0 wrote to page 0: an all-zero message, or a null buffer',
  ],
  [
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=06:00.0 domain=0x0009 address=0xfdf8000000 flags=0x0008]',
    'F30',
    '0000:06:00.0 used an entry, which is not present',
  ],
  [
    'AMD-Vi: Event logged [INVALID_DEVICE_REQUEST device=0000:06:00.0 pasid=0x00000 address=0xfdf8000000 flags=0x0a08]',
    'F35',
    '0000:06:00.0 sent a message that the remapping unit refused',
  ],
  [
    'arm-smmu-v3 9050000.smmuv3: event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0xffff0040 ipa: 0x8090040',
    'F70',
    'stream 0x100 accessed 0xffff0040, which its SMMU does not map (F_TRANSLATION)',
  ],
];

const HEAD = '# tracer: nop\n#\n';
const RECORD = (i: number, payload: string): string =>
  `          <idle>-0       [002] d.h1.    61.10000${i}: ${payload}\n`;
const handler = (i: number): string =>
  RECORD(i, 'irq_handler_entry: irq=41 name=nvme0q1') + RECORD(i + 1, 'irq_handler_exit: irq=41 ret=handled');
const titles = (text: string): string[] => foundByAll(importText(text)).map((one) => one.replace(/ at \d+/, ''));

describe('lines of the kernel log that tell of an interrupt', () => {
  for (const [line, rule, title] of LINES)
    it(`${rule}: ${line}`, () => {
      const expected = [`${rule}: ${title}`];
      assert.deepEqual(titles(HEAD + RECORD(0, `console: [   61.099991] ${line}`)), expected, 'printk:console alone');
      for (const stamped of [
        `[   61.099991] ${line}`,
        `<4>[   61.099991] ${line}`,
        `Nov 20 10:00:00 host kernel: ${line}`,
        `[Thu Oct 22 08:54:51 2020] ${line}`,
      ])
        assert.deepEqual(titles(`${HEAD}${handler(0)}${stamped}\n${handler(3)}`), expected, stamped);
      const qemu = `7@1.000001:vtd_ir_enable enable 1\n[   61.099991] ${line}\n7@1.000002:vtd_inv_qi_fetch \n`;
      assert.deepEqual(titles(qemu), expected, 'between the records of an emulator');
    });

  it('prose that speaks of them is no such line', () => {
    for (const [line] of LINES.filter(([, rule]) => !['F30', 'F35', 'F70'].includes(rule)))
      assert.deepEqual(titles(`${HEAD}${handler(0)}It then says: ${line}\n${handler(3)}`), [], line);
  });

  it('two lines about one irq are one finding, and each of two irqs has its own', () => {
    const say = (...lines: string[]): string => HEAD + lines.map((line, i) => RECORD(i, `console: ${line}`)).join('');
    const cared = (n: number): string => `irq ${n}: nobody cared (try booting with the "irqpoll" option)`;
    assert.equal(titles(say(cared(16), 'Disabling IRQ #16')).length, 1);
    assert.equal(titles(say(cared(16), 'Disabling IRQ #16', cared(17), 'Disabling IRQ #17')).length, 2);
  });

  it('what is only told, and nothing lost, is information', () => {
    const spurious = made('1 message log text="Spurious interrupt (vector 0x21) on CPU#2. Not pending!"');
    assert.equal(found(spurious, 'F24').length, 1);
    assert.equal(verdict(spurious, 'F24'), 'pass');
    assert.deepEqual(
      found(made('1 message log text="Spurious APIC interrupt (vector 0xFF) on CPU#2, should never happen."'), 'F24'),
      [],
    );
  });

  it('a line is enough to report it, and its absence proves nothing', () => {
    const exits = 'irq.entry irq/9 name=acpi';
    const said = 'message log text="irq 9: nobody cared"';
    assert.equal(verdict(made(`1 ${exits}\n2 ${said}`), 'F80'), 'fail');
    assert.equal(verdict(made(`1 ${exits}\n2 mark marker text=x`), 'F80'), 'undecidable', 'no exit is recorded');
    assert.equal(verdict(made('1 mark marker text=x'), 'F80'), 'not-applicable');
    // F38 is judged only where all is shown; what VFIO says is reported all the same.
    const refused = made('1 message log text="No interrupt remapping support"');
    assert.equal(found(refused, 'F38').length, 1);
    assert.equal(verdict(refused, 'F38'), 'undecidable');
  });

  it('that vectors are exhausted is held against the attempts to get one', () => {
    const broken = '[   61.100009] irq 41: Affinity broken due to vector space exhaustion.';
    const tried = (ret: string): string =>
      `${HEAD}${RECORD(0, `vector_alloc: irq=41 vector=0 reserved=1 ret=${ret}`)}${broken}\n`;
    assert.deepEqual(titles(tried('-22')), ['F22: the affinity of irq 41 was broken, but vectors were not exhausted']);
    assert.deepEqual(found(importText(tried('-28')), 'F22'), []);
    const alone = importText(`${HEAD}${handler(0)}${broken}\n`);
    assert.deepEqual([found(alone, 'F22'), verdict(alone, 'F22')], [[], 'undecidable'], 'no attempt is recorded');
  });

  it('the two lines of old kernels and of Xen are one fault', () => {
    const two = (first: string, second: string): string => `${HEAD}${handler(0)}${first}\n${second}\n${handler(3)}`;
    assert.deepEqual(
      titles(
        two(
          'INTR-REMAP: Request device [[42:00.1] fault index b0',
          'INTR-REMAP:[fault reason 34] Present field in the IRTE entry is clear',
        ),
      ),
      ['F30: 0000:42:00.1 used IRTE 176, which is not present'],
    );
    assert.deepEqual(
      titles(
        two(
          '(XEN) [VT-D]INTR-REMAP: Request device [0000:00:1f.0] fault index 0',
          '(XEN) [VT-D]INTR-REMAP: reason 25 - Blocked a compatibility format interrupt request',
        ),
      ),
      ['F33: 0000:00:1f.0 sent a message in compatibility format, which the remapping unit blocked'],
    );
  });

  it('a fault of an AMD unit that is no interrupt, and DMA that no SMMU maps, are no lost interrupts', () => {
    assert.deepEqual(
      titles(
        `${HEAD}${RECORD(0, 'console: AMD-Vi: Event logged [IO_PAGE_FAULT device=06:00.0 domain=0x0009 address=0xc0000 flags=0x0020]')}`,
      ),
      [],
    );
  });
});

describe('R02: a completion that was polled', () => {
  const FN = 'device/0000:03:00.0';
  const ENTRY = `${FN}/msix/1`;
  const setup = `
    0 cfg.read ${FN} offset=0x4 size=2 value=0x406
    0 cfg.read ${FN} offset=0x34 size=1 value=0x60
    0 cfg.read ${FN} offset=0x60 size=4 value=0x80030011
    1 tbl.write ${ENTRY} offset=0x0 size=8 value=0xfee01000
    1 tbl.write ${ENTRY} offset=0x8 size=8 value=0x21`;
  const irq = `
    5 irq.identify irq/33 device="0000:03:00.0" hwirq=1 domain="PCI-MSIX-0000:03:00.0"
    6 irq.entry irq/33 name=nvme0q1
    7 irq.exit irq/33 handled=true`;
  const masked = `
    10 tbl.write ${ENTRY} offset=0xc size=4 value=0x1
    20 dev.raise ${ENTRY} vector=1`;
  const line = '50 message log text="nvme nvme0: I/O tag 960 (a3c0) QID 1 timeout, completion polled"';

  it('says what the entry of that queue was like then', () => {
    const said = (text: string): string => {
      const { findings } = checkTrace(made(`${setup}${text}\n${line}`), rules);
      const finding = findings.find(({ rule }) => rule.id === 'R02');
      return /its interrupt did not arrive\.(.*)$/.exec(finding!.text)![1]!;
    };
    assert.equal(said(''), '', 'no irq has the name of the queue');
    assert.equal(
      said(`${irq}${masked}`),
      ' Its irq is 33, entry 1 of 0000:03:00.0. Then the entry was masked by its own mask bit, and its pending bit was set; its message was 0xfee01000/0x21.',
    );
    assert.equal(
      said(irq),
      ' Its irq is 33, entry 1 of 0000:03:00.0. Then the entry was not masked; its message was 0xfee01000/0x21.',
    );
  });
});
