// The rules about messages on their way from a function, each on a trace that breaks it and on one that does not.
import assert from 'node:assert/strict';
import { found, judged, made, verdict } from './made.ts';

const FN = 'device/0000:00:03.0';
const E = `${FN}/msix`;
/** A function with MSI-X on (4 entries), and two entries with the messages 0x8000040/0 and 0x8000040/1, both unmasked. */
const setup = `
  1 cfg.read ${FN} offset=0x4 size=2 value=0x406
  1 cfg.read ${FN} offset=0x34 size=1 value=0x60
  1 cfg.read ${FN} offset=0x60 size=4 value=0x80030011
  2 tbl.write ${E}/0 offset=0x0 size=8 value=0x8000040
  2 tbl.write ${E}/0 offset=0x8 size=8 value=0x0
  3 tbl.write ${E}/1 offset=0x0 size=8 value=0x8000040
  4 tbl.write ${E}/1 offset=0x8 size=8 value=0x1`;
const send = (time: number, entry: number, data: number): string =>
  `${time} send ${E}/${entry} address=0x8000040 data=0x${data.toString(16)} requester=0x18`;

describe('rules about messages', () => {
  describe('R10', () => {
    it('an entry that holds the message of another one raises that', () => {
      const trace = made(`${setup}
        10 tbl.write ${E}/1 offset=0x8 size=4 value=0x0
        20 dev.raise ${E}/1 vector=1
        ${send(21, 1, 0)}
        30 dev.raise ${E}/1 vector=1
        ${send(31, 1, 0)}`);
      assert.deepEqual(found(trace, 'R10'), [
        `9 ${E}/1: entry 1 of 0000:00:03.0 sent the message of entry 0 (0x8000040/0x0)`,
      ]);
      // The last writes of both entries; the second message tells nothing new.
      assert.deepEqual(judged(trace, 'R10').findings[0]!.evidence, [4, 7]);
    });

    it('is told of the entry that got the message last, once, however it is masked; the other one sends what is its own', () => {
      const trace = made(`${setup}
        10 tbl.write ${E}/1 offset=0x8 size=4 value=0x0
        ${send(20, 0, 0)}
        ${send(21, 1, 0)}
        30 tbl.write ${E}/1 offset=0xc size=4 value=0x1
        31 tbl.write ${E}/1 offset=0xc size=4 value=0x0
        ${send(32, 1, 0)}
        ${send(33, 0, 0)}`);
      assert.deepEqual(found(trace, 'R10'), [
        `9 ${E}/1: entry 1 of 0000:00:03.0 sent the message of entry 0 (0x8000040/0x0)`,
      ]);
    });

    it('is told once where the trace does not show which of the two was written last', () => {
      const read = (entry: number): string =>
        `5 tbl.read ${E}/${entry} offset=0x0 size=8 value=0x8000040
         5 tbl.read ${E}/${entry} offset=0x8 size=8 value=0x2`;
      const trace = made(`${setup}\n${read(2)}\n${read(3)}\n${send(20, 3, 2)}\n${send(21, 2, 2)}`);
      assert.deepEqual(found(trace, 'R10'), [
        `11 ${E}/3: entry 3 of 0000:00:03.0 sent the message of entry 2 (0x8000040/0x2)`,
      ]);
    });

    it('different messages, or another entry that is masked, are right', () => {
      assert.equal(verdict(made(`${setup}\n${send(21, 1, 1)}`), 'R10'), 'pass');
      const masked = made(`${setup}
        10 tbl.write ${E}/0 offset=0xc size=4 value=0x1
        10 tbl.write ${E}/1 offset=0x8 size=4 value=0x0
        ${send(21, 1, 0)}`);
      assert.equal(verdict(masked, 'R10'), 'pass');
    });
  });

  describe('R11', () => {
    /** A function with MSI at 0x40, on, with a message. */
    const msi = `
      1 cfg.read ${FN} offset=0x4 size=2 value=0x6
      1 cfg.read ${FN} offset=0x34 size=1 value=0x40
      1 cfg.read ${FN} offset=0x40 size=4 value=0x800005
      2 cfg.write ${FN} offset=0x44 size=4 value=0x8000040
      3 cfg.write ${FN} offset=0x42 size=2 value=0x81`;
    const off = `100 cfg.write ${FN} offset=0x42 size=2 value=0x80`;
    const again = `300 cfg.write ${FN} offset=0x42 size=2 value=0x81`;
    const pin = `200 dev.intx ${FN} level=true`;

    it('a cause while MSI is off is lost when it is switched on again with the same message', () => {
      const trace = made(`${msi}\n${off}\n${pin}\n${again}`);
      assert.deepEqual(found(trace, 'R11'), [
        `6 ${FN}: 0000:00:03.0 had a cause while MSI is off, which it was set up for: the interrupt is lost`,
      ]);
      assert.deepEqual(judged(trace, 'R11').findings[0]!.evidence, [5, 7]);
      assert.equal(judged(trace, 'R11').findings[0]!.severity, 'error');
    });

    it('is lost at once where Interrupt Disable silences the pin', () => {
      const silent = `50 cfg.write ${FN} offset=0x4 size=2 value=0x406`;
      const [finding] = judged(made(`${msi}\n${silent}\n${off}\n${pin}`), 'R11').findings;
      assert.equal(finding!.severity, 'error');
      assert.match(finding!.text, /Interrupt Disable silences that too/);
    });

    it('may be meant where MSI stays off: a warning', () => {
      assert.deepEqual(
        judged(made(`${msi}\n${off}\n${pin}`), 'R11').findings.map((f) => f.severity),
        ['warning'],
      );
    });

    it('a driver that takes its message away, or writes it again, knows what it does', () => {
      const zero = `90 cfg.write ${FN} offset=0x44 size=4 value=0x0`;
      assert.deepEqual(found(made(`${msi}\n${zero}\n${off}\n${pin}\n${again}`), 'R11'), []);
      const rewrite = `150 cfg.write ${FN} offset=0x44 size=4 value=0x8000040`;
      assert.deepEqual(found(made(`${msi}\n${off}\n${rewrite}\n${pin}\n${again}`), 'R11'), []);
      const reset = `150 dev.reset ${FN}`;
      assert.deepEqual(found(made(`${msi}\n${off}\n${reset}\n${pin}`), 'R11'), []);
      assert.equal(verdict(made(`${msi}\n${pin}`), 'R11'), 'pass');
    });
  });

  describe('R12', () => {
    const mask = (time: number, value: number): string =>
      `${time} tbl.write ${E}/1 offset=0xc size=4 value=0x${value.toString(16)}`;
    const fmask = (time: number, value: string): string => `${time} cfg.write ${FN} offset=0x62 size=2 value=${value}`;
    const raise = (time: number): string => `${time} dev.raise ${E}/1 vector=1`;

    it('a cause waits behind the mask bit and is sent at the unmask', () => {
      const trace = made(
        `${setup}\n${mask(10, 1)}\n${raise(20)}\n${raise(30)}\n${mask(300_020, 0)}\n${send(300_021, 1, 1)}`,
      );
      assert.deepEqual(found(trace, 'R12'), [
        `8 ${E}/1: entry 1 of 0000:00:03.0 was raised while masked: its interrupt came 300.001 ms later, at the unmask`,
      ]);
      const [finding] = judged(trace, 'R12').findings;
      assert.equal(finding!.severity, 'info');
      assert.match(finding!.text, /^2 causes of entry 1 of 0000:00:03.0 arose while its mask bit was set\./);
      // The capability, the write of the mask bit, its clearing, the message.
      assert.deepEqual(finding!.evidence, [2, 7, 10, 11]);
    });

    it('the function mask is named', () => {
      const trace = made(
        `${setup}\n${fmask(10, '0xc003')}\n${raise(20)}\n${fmask(50_000, '0x8003')}\n${send(50_001, 1, 1)}`,
      );
      assert.match(judged(trace, 'R12').findings[0]!.text, /arose while Function Mask of the function was set\./);
    });

    it('a cause that is still pending at the end is a warning', () => {
      const trace = made(`${setup}\n${mask(10, 1)}\n${raise(20)}\n60000 mark marker text=x`);
      // Only events that a rule looks at move its clock: another cause elsewhere.
      const later = made(`${setup}\n${mask(10, 1)}\n${raise(20)}\n60000 tbl.read ${E}/0 offset=0xc size=4 value=0x0`);
      assert.deepEqual(found(trace, 'R12'), []);
      assert.deepEqual(
        judged(later, 'R12').findings.map((f) => [f.severity, f.step]),
        [['warning', 8]],
      );
    });

    it('a short wait, a cause that went away, and MSI-X that is off are nothing', () => {
      const short = `${setup}\n${mask(10, 1)}\n${raise(20)}\n${mask(40, 0)}\n${send(41, 1, 1)}`;
      const gone = `${setup}\n${mask(10, 1)}\n${raise(20)}\n30 dev.withdraw ${E}/1\n${mask(90_000, 0)}\n${send(90_001, 1, 1)}`;
      const off = `${setup}\n${fmask(10, '0x3')}\n${raise(20)}\n${fmask(90_000, '0x8003')}\n${send(90_001, 1, 1)}`;
      for (const text of [short, gone, off]) assert.deepEqual(found(made(text), 'R12'), []);
    });
  });
});
