import type { Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { devRaise, effectivelyMasked, msgSend } from '../../model/events/msix.ts';
import { dropped, illegal, untold } from '../../model/events/outcome.ts';
import type { State } from '../../model/state.ts';
import { device, msixEntry } from '../../model/things/pci.ts';
import type { World } from '../../model/world.ts';
import { causeKinds, tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Events after which an entry owes no message any more: it was sent, or an event says why it was not. */
const SETTLES: ReadonlySet<EventKind> = new Set<EventKind>([msgSend, dropped, untold]);

/** F01. */
export const unmaskSends: Rule<'F01'> = {
  id: 'F01',
  names: ['INV-PEND', 'I-P3'],
  title: 'Interrupt lost between mask and unmask',
  meaning:
    'Clearing the mask of an entry with its pending bit set sends exactly one message, before all else of that entry.',
  reference: 'PCIe 6.1.4.5',
  severity: 'error',
  kinds: [...tableKinds, ...causeKinds, ...SETTLES, illegal],
  needs: [],
  needsAll: true,
  confirm: 'the messages on the bus (QEMU: memory_region_ops_write of the doorbell) and the causes of the device model',
  watch(report) {
    /** Entries with their pending bit set, and the event that showed it. */
    const pending = new Map<number, Step>();
    /** Entries that were unmasked while pending and owe a message: the events that showed the bit and cleared the mask. */
    const owing = new Map<number, readonly Step[]>();
    let judged = 0;
    const tell = (entry: number, [since, unmask]: readonly Step[], world: World, came: string, after: Step[]): void =>
      report({
        step: unmask!,
        object: entry,
        title: `${entryName(world, entry)} was unmasked while pending and sent no message`,
        text: `${entryName(world, entry)} was unmasked while its pending bit was set; ${came} the message that it owes.`,
        evidence: [since!, ...after],
      });
    const settle = (step: Step, kind: EventKind, entry: number, state: State): void => {
      if (state.flag(entry, msixEntry.at.pending) === true) {
        if (!pending.has(entry)) pending.set(entry, step);
        return;
      }
      const since = pending.get(entry);
      if (since === undefined) return;
      pending.delete(entry);
      if (kind === msgSend || kind === devRaise || effectivelyMasked(state, entry) !== false) return;
      judged++;
      owing.set(entry, [since, step]);
    };
    return {
      event(step, { kind, object }, state) {
        const { world } = state;
        const type = world.type(object);
        if (type === msixEntry) {
          const since = owing.get(object);
          // That something else was illegal is said about the same access, before the message can leave.
          if (since && kind !== illegal) {
            owing.delete(object);
            if (!SETTLES.has(kind)) tell(object, since, world, `${kind.name} came before`, [step]);
          }
          settle(step, kind, object, state);
        } else if (type === device)
          for (const { object: entry } of world.node(object)?.children.get('msix')?.children.values() ?? [])
            if (entry >= 0) settle(step, kind, entry, state);
      },
      lost() {
        pending.clear();
        owing.clear();
      },
      end(_last, state) {
        for (const [entry, since] of owing) tell(entry, since, state.world, 'the trace ends before', []);
      },
      get judged() {
        return judged;
      },
    };
  },
};
