import { refused } from '../../model/event.ts';
import { domActivate, domAlloc } from '../../model/events/domain.ts';
import { irqMask, msgWrite } from '../../model/events/irq.ts';
import { vecClear, vecDeactivate, vecFreeMoved, vecSetup, vecTeardown } from '../../model/events/vector.ts';
import { routeRelease, routeSet } from '../../model/events/virt.ts';
import type { State } from '../../model/state.ts';
import type { EventRow } from '../../trace/row.ts';
import type { Thing } from './things.ts';

/** Whether an event of an irq only takes down: it belongs to the life that ends, also after its teardown. */
function takesDown({ kind, words, at }: EventRow): boolean {
  switch (kind) {
    case vecTeardown:
    case vecClear:
    case vecDeactivate:
    case vecFreeMoved:
      return true;
    case domAlloc:
      return domAlloc.read(words, at).free;
    case domActivate:
      return !domActivate.read(words, at).activate;
    case irqMask:
      return irqMask.read(words, at).masked;
    case msgWrite: {
      const { address, data } = msgWrite.read(words, at);
      return address(0) === 0 && data === 0;
    }
    default:
      return kind.role === 'look' || kind.role === 'note';
  }
}

/**
 * Whether an event begins another life of a number that was in use: an irq is set up again, or lives on after its teardown; a GSI
 * gets the route of another vector.
 */
export function lifeBegins(life: Thing, row: EventRow, state: State): boolean {
  const { kind, words, at } = row;
  if (kind === routeSet) {
    const { device, vector } = routeSet.read(words, at);
    return life.ended || (life.owner !== '' && life.owner !== routeOwner(state, device, vector));
  }
  if (life.ended) return !takesDown(row);
  return kind === vecSetup && life.setUp && vecSetup.read(words, at).ret === 0;
}

const routeOwner = (state: State, device: number, vector: number): string =>
  `route of ${state.world.strings.text(device)} ${vector}`;

/** Notes what an event says of the life of its number. */
export function lifeEnds(life: Thing, row: EventRow): void {
  const { kind, words, at } = row;
  switch (kind) {
    case vecSetup:
      if (vecSetup.read(words, at).ret === 0) life.setUp = true;
      break;
    case vecTeardown:
    case routeRelease:
      life.ended = true;
      break;
    case domAlloc: {
      const { free, ret } = domAlloc.read(words, at);
      if (refused(ret)) break;
      life.held += free ? -1 : 1;
      if (free && life.held <= 0) life.ended = true;
      break;
    }
    default:
  }
}
