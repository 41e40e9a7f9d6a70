// The life of an irq number as the kernel reports it: place first, set-up after it (x86_vector_alloc_irqs), tear-down.
import assert from 'node:assert/strict';
import { bytesOf } from '../../src/base/bytes.ts';
import { ImportRun } from '../../src/import/run.ts';
import { pathValue } from '../../src/query/state.ts';

const record = (time: number, text: string): string => `          probe-900     [001] d..1.    ${time}.000001: ${text}`;

/** Values of irq/40 after each of the records. */
function lives(...texts: readonly string[]): Record<string, unknown>[] {
  const run = new ImportRun('test');
  run.push(bytesOf(`# tracer: nop\n#\n${texts.map((t, i) => record(i + 1, t)).join('\n')}\n`));
  const trace = run.end();
  // Before the first record stands what it shows of the CPU.
  assert.equal(trace.length, texts.length + 1);
  return texts.map((_, step) => pathValue(trace.stateAt(step + 1), 'irq/40') as Record<string, unknown>);
}

describe('life of an irq', () => {
  it('keeps what was reserved before the set-up was reported', () => {
    const [, , setup] = lives(
      'vector_config: irq=40 vector=239 cpu=0 apicdest=0x00000000',
      'vector_reserve: irq=40 ret=0',
      'vector_setup: irq=40 is_legacy=0 ret=0',
    );
    assert.deepEqual([setup?.['allocated'], setup?.['reserved'], setup?.['vector']], [true, true, 239]);
  });

  it('keeps a vector that was assigned before the set-up was reported, also in a second life', () => {
    const life = [
      'vector_alloc: irq=40 vector=35 reserved=0 ret=0',
      'vector_update: irq=40 vector=35 cpu=1 prev_vector=0 prev_cpu=0',
      'vector_config: irq=40 vector=35 cpu=1 apicdest=0x00000001',
      'vector_setup: irq=40 is_legacy=0 ret=0',
    ];
    const end = ['irq_handler_entry: irq=40 name=old', 'vector_teardown: irq=40 is_managed=0 has_reserved=0'];
    const states = lives(...life, ...end, ...life.map((t) => t.replaceAll('35', '36')));
    const [first, second] = [states[3]!, states.at(-1)!];
    assert.deepEqual([first['vector'], first['cpu'], first['allocated']], [35, 1, true]);
    assert.deepEqual([second['vector'], second['cpu'], second['allocated']], [36, 1, true]);
    assert.equal(second['name'], null, 'the name of the first life is gone');
    assert.deepEqual([second['handled'], second['handledSinceSetup']], [1, 0]);
  });

  it('a set-up without anything before it leaves the place unknown', () => {
    const states = lives(
      'vector_update: irq=40 vector=35 cpu=1 prev_vector=0 prev_cpu=0',
      'irq_handler_entry: irq=40 name=old',
      'vector_setup: irq=40 is_legacy=0 ret=0',
    );
    const last = states.at(-1)!;
    assert.deepEqual([last['vector'], last['cpu'], last['name'], last['allocated']], [null, null, null, true]);
  });
});
