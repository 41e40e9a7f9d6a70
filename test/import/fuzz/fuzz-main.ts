// `npm run fuzz -- [--minutes N] [--seed N] [--kind NAME]`: trials of all kinds in turn; says each failure once, with the number that makes it again.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { fuzzKinds } from './fuzz-kinds.ts';
import { fuzz } from './fuzz-run.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, kind: { type: 'string' } },
});
const kinds = Object.keys(fuzzKinds);
if (values.kind !== undefined && !kinds.includes(values.kind)) {
  console.error(`there is no kind ${values.kind}; there are ${kinds.join(', ')}`);
  process.exit(2);
}
const minutes = Number(values.minutes ?? 1);
if (!(minutes > 0)) {
  console.error(`--minutes ${values.minutes} is no number of minutes`);
  process.exit(2);
}
const until = Date.now() + minutes * 60_000;
/** Milliseconds of one kind before it is the turn of the next. */
const TURN = Math.min(20_000, (minutes * 60_000) / kinds.length);
const seeds = new Map(
  kinds.map((kind) => [kind, values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)]),
);
const totals = new Map(kinds.map((kind) => [kind, { done: 0, read: 0, events: 0 }]));
const failures = new Map<string, number>();

while (Date.now() < until) {
  for (const kind of values.kind === undefined ? kinds : [values.kind]) {
    const end = Math.min(until, Date.now() + TURN);
    while (Date.now() < end) {
      const seed = seeds.get(kind)!;
      const { done, read, events, failure } = await fuzz({
        kind,
        seed,
        count: 2 ** 31,
        milliseconds: end - Date.now(),
      });
      const total = totals.get(kind)!;
      totals.set(kind, { done: total.done + done, read: total.read + read, events: total.events + events });
      seeds.set(kind, seed + Math.max(1, done));
      if (!failure) continue;
      seeds.set(kind, failure.seed + 1);
      const place = `${kind}: ${failure.error.split('\n').slice(0, 2).join(' ').replaceAll(/\d+/g, 'N').slice(0, 200)}`;
      const times = failures.get(place) ?? 0;
      failures.set(place, times + 1);
      if (times === 0) console.log(`\n--kind ${kind} --seed ${failure.seed} (${failure.story})\n${failure.error}\n`);
    }
  }
}
for (const [kind, { done, read, events }] of totals)
  if (done > 0) console.log(`${kind}: ${done} inputs, ${read} read, ${events} events`);
for (const [place, times] of failures) console.log(`${times} x ${place}`);
process.exit(failures.size > 0 ? 1 : 0);
