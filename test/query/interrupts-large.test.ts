// Lists of very many interrupts: processor time that they take. The machine may be busy, so wall time says nothing.
import assert from 'node:assert/strict';
import { interruptsAt } from '../../src/query/interrupts/list.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { interruptRows } from '../../src/view/interrupts/rows.ts';
import { importText } from '../helpers/fixtures.ts';

/** A machine with `n` MSI-X interrupts, 2048 for each function, all joined by their messages, and handlers of them. */
function machine(n: number): Trace {
  const lines = ['#irqtrace 1', '#clock seconds digits=6 test'];
  const say = (event: string): unknown => lines.push(`${lines.length}.000000 - - ${event}`);
  say('ir.enable irte/dmar0 enable=true');
  for (let i = 0; i < n; i++) {
    const entry = `device/0000:${String(10 + Math.floor(i / 2048))}:00.0/msix/${i % 2048}`;
    const [cpu, vector] = [i % 128, 33 + Math.floor(i / 128)];
    // VT-d 5.1.2.2: handle 14:0 in address bits 19:5, bit 4 the format.
    const address = `0x${(0xfee00010 + i * 32).toString(16)}`;
    say(`irte.write irte/dmar0/${i} value=0x00000000000400180000000000000009`);
    say(`vec.update irq/${24 + i} vector=${vector} cpu=${cpu} prevVector=0 prevCpu=0`);
    say(`msg.write irq/${24 + i} address=${address} data=0x0`);
    say(`tbl.write ${entry} offset=0x0 size=8 value=${address}`);
    say(`tbl.write ${entry} offset=0x8 size=8 value=0x0`);
  }
  for (let i = 0; i < 2 * n; i++) say(`irq.entry irq/${24 + ((i * 7919) % n)} name=q`);
  return importText(`${lines.join('\n')}\n`);
}

/** Milliseconds of processor time of the fastest of some runs. */
function fastest(runs: number, work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const from = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(from);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

describe('very many interrupts', () => {
  it('a list of 10,000 takes less than 300 ms', () => {
    const trace = machine(10_000);
    const step = trace.length - 1;
    const list = interruptsAt(trace, trace.head, step);
    assert.equal(list.length, 10_000);
    assert.ok(list.every(({ row }) => row.entry !== null && row.irq !== null && row.irte !== null));
    const ms = fastest(5, () => interruptsAt(trace, trace.stateAt(step), step));
    assert.ok(ms < 300, `${ms} ms`);
  });

  it('a refresh of the view with 2,000 takes less than 50 ms', () => {
    const trace = machine(2000);
    const step = trace.length - 1;
    const state = trace.stateAt(step);
    const refresh = () => interruptRows(trace.world, interruptsAt(trace, state, step), false);
    assert.equal(refresh().length, 2000);
    const ms = fastest(8, refresh);
    assert.ok(ms < 50, `${ms} ms`);
  });
});
