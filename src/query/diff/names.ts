import { irqEntry } from '../../model/events/irq.ts';
import { routeSet } from '../../model/events/virt.ts';
import { sourceOfIrq } from '../../model/irq-source.ts';
import { vtdIrte } from '../../model/registers/vtd.ts';
import type { State } from '../../model/state.ts';
import { irq } from '../../model/things/irq.ts';
import { irte } from '../../model/things/remap.ts';
import type { EventRow } from '../../trace/row.ts';
import type { Thing } from './things.ts';

/** The bus domain that a number inside a device counts in, by a name that is none of Linux: MSI or IMS. */
const busOf = (domain: string): string => /ims|msi/i.exec(domain)?.[0].toLowerCase() ?? '';

/** Takes down what an event tells of the identity of its thing; `state` is the state after it. */
export function nameThing(state: State, thing: Thing, row: EventRow): void {
  const { object, kind } = row;
  const { strings } = state.world;
  const type = state.world.type(object);
  if (kind === irqEntry) {
    thing.names.add(`action ${strings.text(irqEntry.read(row.words, row.at).name)}`);
    return;
  }
  if (kind.role === 'handle') return;
  if (type === irq) {
    const source = sourceOfIrq(state, object);
    if (source === undefined) return;
    const { device, index, table } = source;
    // A trace need not tell the domain; then only the other traces' irqs of other domains are told apart from it.
    const bus = table ?? busOf(state.text(object, irq.at.domain));
    if (bus !== '' && bus !== 'either') thing.names.add(`vector ${index} of ${device} ${bus}`);
    thing.names.add(`slot ${index} of ${device}`);
  } else if (kind === routeSet) {
    const { device, vector } = routeSet.read(row.words, row.at);
    thing.owner = `route of ${strings.text(device)} ${vector}`;
    thing.names.add(thing.owner);
  } else if (type === irte) {
    const sid = vtdIrte.f.sid.get(state, object, irte.at.value);
    if (sid > 0) thing.names.add(`requester ${sid}`);
  }
}
