// Messages that another record than the one on the bus tells of, messages that are not those of their entry, and those that wait behind the function
// mask of a real capture, or are gone from it.

import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import { rules } from '../../src/check/rules.ts';
import { fixtureLines, importText } from '../helpers/fixtures.ts';
import { found, foundByAll, made, verdict } from './made.ts';

const FN = 'device/0000:00:03.0';
const E = `${FN}/msix`;
const entry = (i: number): string => `
  3 tbl.write ${E}/${i} offset=0x0 size=4 value=0xfee00${(i + 1) * 2}18
  3 tbl.write ${E}/${i} offset=0x4 size=4 value=0x0
  3 tbl.write ${E}/${i} offset=0x8 size=4 value=0x0
  4 tbl.write ${E}/${i} offset=0xc size=4 value=0x0`;
/** MSI-X of eight entries, of which two are in use. */
const SETUP = `
  1 cfg.read ${FN} offset=0x4 size=2 value=0x406
  1 cfg.read ${FN} offset=0x34 size=1 value=0x60
  1 cfg.read ${FN} offset=0x60 size=4 value=0x70011
  2 cfg.write ${FN} offset=0x62 size=2 value=0xc007
  ${entry(0)}
  ${entry(1)}
  5 cfg.write ${FN} offset=0x62 size=2 value=0x8007
  `;
/** The step of the first line behind it. */
const FIRST = 13;
const message = (i: number): string => `address=0xfee00${(i + 1) * 2}18 data=0x0`;
const raise = (at: number, i: number): string => `${at}/7 dev.raise ${E}/${i} vector=${i}\n`;
const send = (at: number, i: number, of = i): string => `${at}/7 send ${E}/${i} ${message(of)}\n`;
const request = (at: number, i: number): string => `${at}/7 ir.request irte/0/${(i + 1) * 16} ${message(i)}\n`;
/** Both entries had a cause and sent their message. */
const SEEN = `${raise(10, 0)}${send(11, 0)}${raise(20, 1)}${send(21, 1)}`;
/** The step of the first line behind that. */
const BEHIND = FIRST + 4;
const LATER = `9000 cfg.read ${FN} offset=0x4 size=2 value=0x406`;
const trace = (rest: string) => made(`${SETUP}${SEEN}${rest}${LATER}`);

describe('messages that arrive', () => {
  it('I-P5 the arrival at the unit says that the message was sent', () => {
    assert.deepEqual(foundByAll(trace(`${raise(100, 1)}${request(102, 1)}`)), []);
    const without = [
      `${BEHIND} ${E}/1: entry 1 of 0000:00:03.0 had a cause and sent no message although nothing masks it`,
    ];
    assert.deepEqual(found(trace(raise(100, 1)), 'I-P5'), without);
    assert.deepEqual(
      found(trace(`${raise(100, 1)}${request(102, 0)}`), 'I-P5'),
      without,
      'the message of another entry',
    );
  });

  it('I-P5 the arrival at an ITS: EventID and DeviceID', () => {
    const arrival = (device: string, event: string): string =>
      `102 its.trans its/0/device/${device}/event/0 device=${device} event=${event} size=4\n`;
    assert.deepEqual(found(trace(`${raise(100, 1)}${arrival('0x18', '0x0')}`), 'I-P5'), []);
    for (const other of [arrival('0x20', '0x0'), arrival('0x18', '0x1')])
      assert.equal(found(trace(`${raise(100, 1)}${other}`), 'I-P5').length, 1, other);
  });

  it('I-P5 causes that arise within a millisecond may share one message; behind that the first one had none', () => {
    assert.deepEqual(found(trace(`${raise(100, 1)}${raise(900, 1)}${send(901, 1)}`), 'I-P5'), []);
    assert.equal(verdict(trace(`${raise(100, 1)}${raise(900, 1)}${send(901, 1)}`), 'I-P5'), 'pass');
    assert.equal(found(trace(`${raise(100, 1)}${raise(1200, 1)}${send(1201, 1)}`), 'I-P5').length, 1);
  });

  it('F01 the arrival at the unit says that the unmasked entry sent what it owed', () => {
    const masked = `100 tbl.write ${E}/1 offset=0xc size=4 value=0x1\n${raise(110, 1)}120 tbl.write ${E}/1 offset=0xc size=4 value=0x0\n`;
    assert.deepEqual(found(trace(masked), 'F01').length, 1);
    assert.deepEqual(found(trace(`${masked}${request(122, 1)}`), 'F01'), []);
    assert.equal(verdict(trace(`${masked}${request(122, 1)}`), 'F01'), 'pass');
  });

  it('F50 the acceptance says that KVM found the route, where a filter left the message out', () => {
    const delivery = (at: number, sent: string): string => `
      ${at}@2 irq.entry irq/28 name=x
      ${at}@2 vfio.fire vfio/0000:03:00.0/2/0 irq=28
      ${at + 1}@2 irqfd.wakeup kvm/0/irqfd
      ${sent.includes('m') ? `${at + 2}@2 kvm.msi kvm/0 dest=0x0 vector=34 mode=Fixed` : ''}
      ${sent.includes('a') ? `${at + 3}@2 apic.accept vcpu/0/vector/34 mode=Fixed|edge posted=false` : ''}
      ${at + 5}@2 irq.exit irq/28 handled=true\n`;
    const between = (sent: string) => made(`${delivery(100, 'ma')}${delivery(5000, sent)}${delivery(9000, 'ma')}`);
    assert.deepEqual(found(between('a'), 'F50'), []);
    assert.equal(found(between(''), 'F50').length, 1);
  });
});

describe('R10 messages that are not those of their entry', () => {
  it('an entry sends another message than it holds', () => {
    assert.deepEqual(found(trace(`${raise(100, 1)}${send(101, 1, 0)}`), 'R10'), [
      `${BEHIND + 1} ${E}/1: entry 1 of 0000:00:03.0 sent 0xfee00218/0x0 and holds 0xfee00418/0x0`,
    ]);
    const behind = (address: string): string => `100 send ${E}/1 address=${address} data=0x0 requester=0x18\n`;
    assert.deepEqual(found(trace(behind('0x8090040')), 'R10'), [], 'the address behind an SMMU');
  });

  it('a message that was written while nothing masked it may be sent later', () => {
    const open = `100 tbl.write ${E}/1 offset=0x0 size=4 value=0xfee00618\n`;
    assert.deepEqual(found(trace(`${open}${send(101, 1)}`), 'R10'), []);
    const again = `102 tbl.write ${E}/1 offset=0xc size=4 value=0x1\n103 tbl.write ${E}/1 offset=0xc size=4 value=0x0\n`;
    assert.equal(found(trace(`${open}${again}${send(104, 1)}`), 'R10').length, 1);
  });

  it('behind lost events the entry may hold another message', () => {
    assert.deepEqual(found(trace(`100 lost log count=3\n${send(101, 1, 0)}`), 'R10'), []);
  });

  it('the thread that has a cause sends the message of another entry, which had none', () => {
    assert.deepEqual(found(trace(`${raise(100, 1)}${send(101, 0)}`), 'R10'), [
      `${BEHIND + 1} ${E}/1: entry 1 of 0000:00:03.0 had a cause, and the message of entry 0 was sent`,
    ]);
    assert.deepEqual(
      found(trace(`${raise(99, 0)}${raise(100, 1)}${send(101, 0)}${send(102, 1)}`), 'R10'),
      [],
      'both had one',
    );
    assert.deepEqual(found(trace(`${raise(100, 1)}${send(101, 0).replace('/7', '/8')}`), 'R10'), [], 'another thread');
    assert.deepEqual(found(trace(`${raise(100, 1)}${send(1200, 0)}`), 'R10'), [], 'later');
    const masked = `99 tbl.write ${E}/1 offset=0xc size=4 value=0x1\n`;
    assert.deepEqual(found(trace(`${masked}${raise(100, 1)}${send(101, 0)}`), 'R10'), [], 'its cause waits');
    const silent = made(`${SETUP}${send(11, 0)}${raise(20, 1)}${send(21, 1)}${raise(100, 1)}${send(101, 0)}${LATER}`);
    assert.deepEqual(found(silent, 'R10'), [], 'the trace shows no causes of entry 0');
  });
});

describe('reads that nobody answers', () => {
  it('F11 while memory decode is off, all ones are what a read gives: nothing answered, and no bit is known by them', () => {
    const read = (offset: string, value: string) => `101 tbl.read ${E}/1 offset=${offset} size=4 value=${value}`;
    const off = (rest: string) =>
      trace(
        `100 cfg.write ${FN} offset=0x4 size=2 value=0x404\n${rest}\n102 cfg.write ${FN} offset=0x4 size=2 value=0x406\n`,
      );
    for (const offset of ['0x0', '0x4', '0x8', '0xc']) {
      const all = off(read(offset, '0xffffffff'));
      assert.deepEqual(foundByAll(all), [
        `F11 at ${BEHIND + 1}: entry 1 of 0000:00:03.0 reads all ones while Memory Space Enable is 0`,
      ]);
      const before = all.stateAt(BEHIND);
      const entry = all.world.find(`${E}/1`)!.object;
      for (let cell = 0; cell < 4; cell++)
        assert.equal(all.head.get(entry, cell), before.get(entry, cell), `dword ${cell} by a read of ${offset}`);
    }
    assert.deepEqual(found(off(read('0xc', '0x0')), 'F11'), [
      `${BEHIND + 1} ${E}/1: entry 1 of 0000:00:03.0 answered while Memory Space Enable is 0`,
    ]);
  });
});

describe('the function mask of a real capture', () => {
  const lines = fixtureLines('x86-vtd/qemu.log').map(({ text }) => text);
  /** The write that clears the function mask while vectors 0 and 1 wait (facts of the capture: 1795148743.296792). */
  const unmask = lines.findIndex((text) =>
    text.includes('1795148743.296792:pci_cfg_write e1000e 00:04.0 @0xa2 <- 0x8004'),
  );
  /** The messages of entries 0 and 1 right behind it. */
  const message = (text: string): boolean =>
    /\b0xfee004[79]8\b/.test(text) && /:(?:memory_region_ops_write|vtd_ir_remap_msi)/.test(text);

  it('F01 both vectors were delivered right after the unmask: nothing is lost', () => {
    assert.ok(unmask > 0);
    const behind = lines.slice(unmask, unmask + 40).filter(message);
    assert.ok(behind.some((text) => text.includes('0xfee00478')) && behind.some((text) => text.includes('0xfee00498')));
    const check = checkTrace(
      importText(lines.join('\n')),
      rules.filter(({ id }) => id === 'F01'),
    );
    assert.deepEqual(check.findings, []);
    assert.equal(check.verdicts()['F01'], 'pass');
  });

  it('F01 without these messages both are found, at the write that cleared the mask', () => {
    const without = lines.filter((text, i) => i < unmask || i > unmask + 40 || !message(text));
    assert.ok(without.length < lines.length);
    const trace = importText(without.join('\n'));
    const { findings } = checkTrace(
      trace,
      rules.filter(({ id }) => id === 'F01'),
    );
    assert.deepEqual(
      findings.map(({ object, step }) => [trace.world.path(object), trace.table.line(step)]),
      [
        ['device/0000:00:04.0/msix/0', unmask + 1],
        ['device/0000:00:04.0/msix/1', unmask + 1],
      ],
    );
  });
});
