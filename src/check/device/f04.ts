import type { ObjectId, Step } from '../../base/ids.ts';
import { cpuAccept } from '../../model/events/cpu.ts';
import { msgSend, pbaRead, tblRead } from '../../model/events/msix.ts';
import { dropped, merged } from '../../model/events/outcome.ts';
import { effectivelyMasked, ownerOf } from '../../model/masking.ts';
import { msixEntry } from '../../model/things/pci.ts';
import { tableKinds } from '../kinds.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** A message that has left its entry and has not arrived. */
interface Flight {
  readonly entry: ObjectId;
  readonly sent: Step;
  /** The read that should have pushed it ahead of its completion, while its entry was masked; -1: none yet. */
  read: Step;
}

/** More messages in flight than that are not followed: a trace that tells no arrivals. */
const MOST = 4096;

/** F04. */
export const readFlushes: Rule<'F04'> = {
  id: 'F04',
  names: ['INV-FLUSH'],
  title: 'Message arrived after mask and read',
  meaning:
    'Once a read of the function has completed after its entry was masked, no message of the entry arrives until it is unmasked.',
  reference: 'PCI ordering rules (PCIe 2.4.1); drivers/pci/msi/msi.h pci_msix_mask: write, then read',
  severity: 'error',
  kinds: [msgSend, cpuAccept, dropped, merged, ...tableKinds],
  needs: [[msgSend], [tblRead, pbaRead], [cpuAccept]],
  needsAll: true,
  confirm:
    'the arrival of each message with its sender: a probe at the interrupt controller, or the accept events of the virtual CPU',
  watch(report, scene) {
    const flights = new Map<number, Flight>();
    let judged = 0;
    return {
      event(step, { kind, object, words, at }, state) {
        if (kind === msgSend) {
          const { cause } = msgSend.read(words, at);
          if (cause === undefined || state.world.type(object) !== msixEntry) return;
          if (flights.size > MOST) flights.clear();
          flights.set(cause, { entry: object, sent: step, read: -1 });
        } else if (flights.size === 0) {
          return;
        } else if (kind === cpuAccept) {
          const { cause } = cpuAccept.read(words, at);
          const flight = cause === undefined ? undefined : flights.get(cause);
          if (flight === undefined) return;
          flights.delete(cause!);
          judged++;
          if (flight.read < 0 || effectivelyMasked(state, flight.entry) === false) return;
          const name = entryName(scene.world, flight.entry);
          report({
            step,
            object: flight.entry,
            title: `a message of ${name} arrived after its mask was set and read back`,
            text: `${name} was masked and a read of the function had completed; the message that it had sent before arrived only now. Software that masks, reads back and then frees what the handler uses is hit by it.`,
            evidence: [flight.sent, flight.read],
          });
        } else if (kind === dropped || kind === merged) {
          const { cause } = kind === dropped ? dropped.read(words, at) : merged.read(words, at);
          if (cause !== undefined) flights.delete(cause);
        } else if (kind === tblRead || kind === pbaRead) {
          const fn = kind === tblRead ? ownerOf(state, object) : object;
          for (const flight of flights.values())
            if (
              flight.read < 0 &&
              ownerOf(state, flight.entry) === fn &&
              effectivelyMasked(state, flight.entry) === true
            )
              flight.read = step;
        } else {
          for (const flight of flights.values())
            if (flight.read >= 0 && effectivelyMasked(state, flight.entry) !== true) flight.read = -1;
        }
      },
      lost: () => flights.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
