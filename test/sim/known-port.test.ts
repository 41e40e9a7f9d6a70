// What-ifs on traces made by hand: a message goes through the remapping entry as far as the trace shows it, and no farther.
import assert from 'node:assert/strict';
import { bytesOf } from '../../src/base/bytes.ts';
import { viewEvent } from '../../src/query/events.ts';
import { WhatIf } from '../../src/sim/whatif.ts';
import { importBytes } from '../helpers/fixtures.ts';

const DEVICE = 'device/0000:03:00.0';
/** P, vector 0x41 to APIC id 1 (bits 15:8 of DST), SVT 1, sid 0300: bits 127:0, high half first. */
const ENTRY = '0x403000000010000410001';

/** A trace of a function that may send, a unit, and the entry 5 as the unit read it; then the function writes a message. */
function outcome(entry: string | undefined, { unit = ['enable=true', 'eim=false'], address = '0xfee000b0' } = {}) {
  const lines = [
    `dev.seen ${DEVICE} name=net`,
    `cfg.write ${DEVICE} offset=0x4 size=2 value=0x406`,
    'ir.seen irte/dmar0 kind=VT-d',
    ...unit.map((text) => (text.startsWith('enable') ? `ir.enable irte/dmar0 ${text}` : `ir.mode irte/dmar0 ${text}`)),
    ...(entry === undefined ? [] : [`irte.read irte/dmar0/5 value=${entry}`]),
    'vec.config irq/30 vector=65 cpu=1 apicDest=0x1',
    'vec.update irq/30 vector=65 cpu=1 prevVector=0 prevCpu=0',
  ];
  const text = lines.map((line, i) => `1.00000${i} - - ${line}\n`).join('');
  const base = importBytes(bytesOf(`#irqtrace 1\n#clock seconds digits=6 realtime\n${text}`));
  assert.equal(base.length, lines.length, 'every line is an event');
  const run = new WhatIf(base, base.length - 1, []);
  const refused = run.perform({ op: 'device.write', object: DEVICE, address, data: '0x41' });
  assert.equal(refused, undefined);
  run.run();
  const made = Array.from({ length: run.trace.length - base.length }, (_, i) =>
    viewEvent(run.trace, base.length + i),
  ).filter((e) => e.kind !== 'send');
  return made.map((e) => ({ kind: e.kind, object: e.object, ...e.fields }));
}

const kinds = (events: readonly { readonly kind: string }[]): string[] => events.map((e) => e.kind);
const what = (events: readonly object[]): unknown => (events[0] as { what?: unknown }).what;

describe('what-if through a remapping entry', () => {
  it('a known entry leads to the vector of the CPU that it names', () => {
    const made = outcome(ENTRY);
    assert.equal(made[0]?.kind, 'cpu.accept');
    assert.equal(made[0]?.object, 'cpu/1/vector/65');
  });

  it('faults are those of the unit: not present, wrong requester', () => {
    for (const [entry, reason] of [
      ['0x0', 0x22],
      ['0x403010000010000410001', 0x26],
      // Bit 31 of the entry is reserved.
      ['0x403000000010080410001', 0x24],
    ] as const) {
      const made = outcome(entry);
      assert.deepEqual(kinds(made), ['ir.fault', 'drop'], entry);
      assert.equal((made[0] as { reason?: unknown }).reason, reason);
      assert.equal(made[0]?.object, 'irte/dmar0/5');
    }
    // Function 3 with SQ 3, which ignores the function number.
    assert.equal(outcome('0x703030000010000410001')[0]?.kind, 'cpu.accept');
  });

  it('FPD keeps the fault from being reported, not the message from being refused', () => {
    assert.deepEqual(kinds(outcome('0x2')), ['drop']);
  });

  it('where the trace shows too little, an event says what one would have to know', () => {
    assert.match(String(what(outcome(undefined))), /remapping entry 5/);
    assert.match(String(what(outcome(ENTRY, { unit: ['enable=true'] }))), /EIME/);
    // IM set: descriptor 0x140000040.
    assert.match(String(what(outcome('0x1000403004000004000518001'))), /descriptor at 0x140000040/);
    assert.match(String(what(outcome(ENTRY, { address: '0xfee01000' }))), /compatibility format/);
    assert.deepEqual(kinds(outcome(ENTRY, { address: '0xfee01000', unit: ['enable=true', 'eim=true'] })), [
      'ir.fault',
      'drop',
    ]);
  });

  it('a unit that is off lets the message through', () => {
    assert.equal(
      outcome(ENTRY, { address: '0xfee01000', unit: ['enable=false', 'eim=false'] })[0]?.object,
      'cpu/1/vector/65',
    );
  });
});
