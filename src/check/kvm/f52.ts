import type { ObjectId, Step } from '../../base/ids.ts';
import { msgSend, tblWrite } from '../../model/events/msix.ts';
import { vfioFire, vfioReset } from '../../model/events/vfio.ts';
import { irqfdWakeup, routeRelease, routeSet, routeUpdate } from '../../model/events/virt.ts';
import { effectivelyMasked, ownerOf } from '../../model/masking.ts';
import { vtdAddress } from '../../model/registers/x86.ts';
import type { State } from '../../model/state.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { kvmRoute } from '../../model/things/virt.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';
import { sameGsi } from './gsi.ts';

/** Nanoseconds that the VMM has to take the message of an entry over. */
const SOON = 1e8;

/** An entry that was unmasked with another message than its route has. */
interface Behind {
  readonly entry: ObjectId;
  readonly step: Step;
  readonly time: number;
}

/** F52. */
export const routeFollowsTable: Rule<'F52'> = {
  id: 'F52',
  names: ['INV-SYNC'],
  title: 'Route with an older message than the table',
  meaning: 'When an entry is unmasked, the route of its GSI holds the message of the entry.',
  severity: 'error',
  reference: 'hw/pci/msix.c msix_handle_mask_update; hw/vfio/pci.c vfio_update_kvm_msi_virq',
  kinds: [routeSet, routeUpdate, routeRelease, tblWrite, irqfdWakeup, vfioFire, msgSend, vfioReset],
  needs: [[tblWrite], [routeSet]],
  needsAll: false,
  needsTime: true,
  confirm: 'kvm_irqchip_update_msi_route in the log of QEMU; kvm_msi_set_irq of the next delivery',
  watch(report, scene) {
    const { world } = scene;
    /** The route of each entry that has one. */
    const routes = new Map<ObjectId, ObjectId>();
    const open = new Map<ObjectId, Behind>();
    let judged = 0;
    const tell = ({ entry, step: since }: Behind, step: Step, state: State): void => {
      open.delete(entry);
      const route = routes.get(entry);
      if (route === undefined || !differs(state, entry, route)) return;
      const gsi = world.node(route)?.segment;
      const [own, routed] = [messageOf(state, entry, E), messageOf(state, route, K)];
      report({
        step: since,
        object: entry,
        title: `The route of GSI ${gsi} has ${routed}, ${entryName(world, entry)} has ${own}`,
        text: `${entryName(world, entry)} is unmasked with message ${own}; the route of GSI ${gsi} still has ${routed} and was not set again: interrupts go to the old place.`,
        evidence: step === since ? [] : [step],
        absent: { since, kinds: [routeUpdate, routeSet] },
      });
    };
    const late = (step: Step, time: number, state: State): void => {
      for (const one of open.values()) if (time - one.time > SOON) tell(one, step, state);
    };
    const judge = (step: Step, time: number, entry: ObjectId, route: ObjectId, state: State): void => {
      if (!differs(state, entry, route) || effectivelyMasked(state, entry) !== false) open.delete(entry);
      else if (!open.has(entry)) open.set(entry, { entry, step, time });
    };
    return {
      event(step, { kind, object, time }, state) {
        if (open.size > 0) late(step, time, state);
        if (kind === tblWrite) {
          const route = routes.get(object);
          if (route === undefined) return;
          judged++;
          judge(step, time, object, route, state);
        } else if (kind === routeSet || kind === routeUpdate) {
          const entry = state.num(object, kvmRoute.at.entry);
          if (entry < 0 || world.type(entry) !== msixEntry) return;
          routes.set(entry, object);
          judge(step, time, entry, object, state);
        } else if (kind === routeRelease) {
          for (const [entry, route] of routes) if (route === object) drop(entry);
        } else if (kind === irqfdWakeup) {
          // An interrupt takes the route as it is.
          const route = open.size === 0 ? -1 : sameGsi(world, object, 'route');
          for (const one of open.values()) if (routes.get(one.entry) === route) tell(one, step, state);
        } else if (kind === vfioReset) {
          for (const entry of routes.keys()) if (ownerOf(state, entry) === object) drop(entry);
        }
      },
      lost() {
        routes.clear();
        open.clear();
      },
      end(last, state) {
        if (scene.complete) for (const one of open.values()) tell(one, last, state);
      },
      get judged() {
        return judged;
      },
    };
    function drop(entry: ObjectId): void {
      routes.delete(entry);
      open.delete(entry);
    }
  },
};

const E = msixEntry.at;
const K = kvmRoute.at;
const CELLS = [
  [E.address, K.address],
  [E.address + 1, K.address + 1],
  [E.data, K.data],
] as const;

/**
 * Whether a bit of the message is known in both and is not the same. A message that the guest leaves to its own remapping unit is
 * translated on its way into the route.
 */
function differs(state: State, entry: ObjectId, route: ObjectId): boolean {
  if (vtdAddress.f.format.flag(state, entry, E.address) === true) return false;
  for (const [own, routed] of CELLS) {
    const known = state.known(entry, own) & state.known(route, routed);
    if (((state.get(entry, own) ^ state.get(route, routed)) & known) !== 0) return true;
  }
  return false;
}

const messageOf = (state: State, object: ObjectId, at: { readonly address: number; readonly data: number }): string =>
  `0x${state.get(object, at.address).toString(16)}/0x${state.get(object, at.data).toString(16)}`;
