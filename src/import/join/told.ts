import type { Source } from '../../trace/source.ts';
import type { Connection } from './relations.ts';

const NANO = 1_000_000_000n;

/** What connects two sources because one of them tells it: a guest that was recorded together with its host tells how their clocks differ. */
export function toldConnection(a: Source, b: Source): Connection | undefined {
  const forward = lineTo(a, b);
  if (forward !== undefined) return { relation: 'hosts', fit: forward, told: true };
  const back = lineTo(b, a);
  if (back === undefined) return undefined;
  const { offset, rate, origin, uncertainty } = back;
  const inverse = {
    offset: -offset,
    rate: 1 / (1 + rate) - 1,
    origin: origin + offset,
    uncertainty,
    pairs: [],
    bursts: 0,
  };
  return { relation: 'runs-in', fit: inverse, told: true };
}

/** The line from the clock of `b` to that of `a`, if `b` tells it. */
function lineTo(a: Source, b: Source): Connection['fit'] | undefined {
  const { shift } = b;
  if (shift === undefined || shift.to !== a.recording || a.time.ticks || b.time.ticks) return undefined;
  const offset = Number(shift.offset + (b.time.base - a.time.base) * NANO);
  return { offset, rate: shift.rate, origin: shift.origin, uncertainty: shift.uncertainty, pairs: [], bursts: 0 };
}
