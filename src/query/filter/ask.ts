// What a filter asks of an event itself: common names and arguments.
import type { Step } from '../../base/ids.ts';
import type { ArgSpec } from '../../model/event-args.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import type { Trace } from '../../trace/trace.ts';
import { argumentOf } from './names.ts';
import { NO, order, type Truth, truth, UNKNOWN, type ValueTest, type Wanted, YES } from './value-tests.ts';

/** A question about the event at a step. */
export type Ask = (step: Step) => Truth;

/** Remembers the answers about texts and objects, because the same ones occur in many events. */
export function remembered(test: (id: number) => boolean): (id: number) => Truth {
  let known = new Uint8Array(256);
  return (id) => {
    if (id >= known.length) {
      const wider = new Uint8Array(Math.max(known.length * 2, id + 1));
      wider.set(known);
      known = wider;
    }
    if (known[id] === 0) known[id] = test(id) ? 2 : 1;
    return known[id] === 2 ? YES : NO;
  };
}

/** A question about a name that every event has; those of `dt.…`, which look at earlier events, are asked elsewhere. */
export function commonAsk(trace: Trace, name: string, test: ValueTest): Ask {
  const { table, world } = trace;
  const plain = (value: number): Truth => truth(test.number((want) => value - want.number));
  switch (name) {
    case 'step':
      return plain;
    case 'line':
      return (step) => plain(table.line(step));
    case 'cpu':
      return (step) => (table.cpu(step) < 0 ? UNKNOWN : plain(table.cpu(step)));
    case 'time':
      return (step) => (Number.isNaN(table.time(step)) ? UNKNOWN : test.time(table.time(step)));
    case 'dt':
      return (step) => {
        const since = step === 0 ? Number.NaN : table.time(step) - table.time(step - 1);
        return Number.isNaN(since) ? UNKNOWN : test.span(since);
      };
    case 'kind': {
      const kinds = vocabulary.map((kind) => truth(test.text(kind.name)));
      return (step) => kinds[table.kindNumber(step)]!;
    }
    case 'object': {
      const ask = remembered((object) => test.path(world.path(object)));
      return (step) => ask(table.object(step));
    }
    case 'vantage':
    case 'system': {
      const told = trace.sources.map((source) => source[name] ?? '');
      const ask = remembered((source) => test.text(told[source]!));
      return (step) => (told[trace.sourceOf(step)] === '' ? UNKNOWN : ask(trace.sourceOf(step)));
    }
    default: {
      const ask = remembered((task) => test.text(world.strings.text(task)));
      return (step) => (table.task(step) === 0 ? UNKNOWN : ask(table.task(step)));
    }
  }
}

/**
 * A question about an argument. `bare`: the argument stands alone, as a flag. `lacking`: what to ask of events that have no such argument.
 */
export function argumentAsk(trace: Trace, name: string, test: ValueTest, bare: boolean, lacking?: Ask): Ask {
  const { table, world } = trace;
  const specs = vocabulary.map((kind) => kind.args.find((arg) => arg.name === argumentOf(name)));
  const texts = remembered((id) => test.text(world.strings.text(id)));
  const paths = remembered((id) => test.path(world.path(id)));
  return (step) => {
    const arg = specs[table.kindNumber(step)];
    if (arg === undefined || (arg.optional && (table.word(step, 0) & arg.bit) === 0))
      return lacking === undefined ? UNKNOWN : lacking(step);
    if (arg.type === 'flag') return truth(test.flag(table.word(step, arg.at) !== 0));
    if (bare) return UNKNOWN;
    if (arg.type === 's') return texts(table.word(step, arg.at));
    if (arg.type === 'o') return paths(table.word(step, arg.at));
    return truth(test.number((want) => compared(trace, step, arg, want)));
  };
}

/** How an argument compares with a number: negative below, 0 equal, positive above. */
function compared({ table }: Trace, step: Step, arg: ArgSpec, want: Wanted): number {
  if (arg.type === 'i') return (table.word(step, arg.at) | 0) - want.number;
  return order(want, arg.words, (i) => table.word(step, arg.at + i));
}
