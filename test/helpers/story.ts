// Stories: events in the notation of a trace file, each followed by what the state has to hold after it. A test reads as one
// block of text and depends on nothing but the trace format and the object paths, both of which are contracts.
import assert from 'node:assert/strict';
import { pathValue } from '../../src/query/state.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { importText } from './fixtures.ts';

/** What a path holds, with null for what is unknown or absent, and the value of a register instead of its fields. */
function held(trace: Trace, step: number, path: string): unknown {
  const value = pathValue(trace.stateAt(step), path) ?? null;
  return typeof value === 'object' && value !== null && 'value' in value && 'fields' in value ? value.value : value;
}

/**
 * Plays a story. A line `kind object name=value…` is an event (after `cpu2 ` it is recorded by that CPU); a line
 * `= path value` says what the path holds after the event above it, `value` being JSON. Gives the trace.
 */
export function story(text: string): Trace {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const events = lines.filter((line) => !line.startsWith('= '));
  const body = events.map((line, i) => {
    const [, cpu = '-', event = ''] = /^(?:(cpu\d+) )?(.*)$/.exec(line)!;
    return `${i}.000000 ${cpu} - ${event}`;
  });
  const trace = importText(`#irqtrace 1\n#clock seconds digits=6 test\n${body.join('\n')}\n`);
  assert.equal(trace.first.problem, undefined);
  assert.deepEqual([...trace.first.accounting.skipped], [], 'every event of the story is readable');
  assert.equal(trace.length, events.length);
  let step = -1;
  for (const line of lines) {
    if (!line.startsWith('= ')) {
      step++;
      continue;
    }
    const [, path, value] = /^= (\S+) (.+)$/.exec(line)!;
    assert.deepEqual(held(trace, step, path!), JSON.parse(value!), `${path} after "${events[step]}"`);
  }
  return trace;
}
