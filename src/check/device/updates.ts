import type { ObjectId, Step } from '../../base/ids.ts';
import type { EventKind } from '../../model/event.ts';
import { devBind, devReset, devUnsure } from '../../model/events/function.ts';
import { tblShift, tblWrite } from '../../model/events/msix.ts';
import { cfgWrite } from '../../model/events/pci.ts';
import { enabledIn, functionMaskIn, maskedByBits, msiMaskBit, ownerOf } from '../../model/masking.ts';
import { msiControl, msixVectorControl } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import type { Happened } from '../rule.ts';
import { entriesOf } from './entries.ts';
import { Held } from './held.ts';

/** A change of a message while nothing masks the vector. */
export interface LiveChange {
  readonly step: Step;
  /** MSI-X entry, or MSI capability. */
  readonly object: ObjectId;
  /** The parts that changed: ADDRESS, DATA or both. */
  readonly parts: number;
  /** Byte offset of the access: in the entry, or in config space. */
  readonly offset: number;
  /** The message before, as text. */
  readonly before: string;
}

/** Events after which what entries held before says nothing. */
const MOVED: ReadonlySet<EventKind> = new Set<EventKind>([devReset, devBind, devUnsure, tblShift]);

const { mask: own } = msixVectorControl.f;

/** Finds the writes that change the message of a vector that is on and not masked at that moment (PCIe 7.7.2.6: undefined). */
export class LiveChanges {
  readonly #held = new Held();
  /** Accesses that were looked at. */
  judged = 0;

  /** Looks at an event: the change that it made, when the vector was live. */
  look(step: Step, { kind, object, words, at }: Happened, state: State): LiveChange | undefined {
    const type = state.world.type(object);
    let change: LiveChange | undefined;
    if (type === msixEntry) {
      if (kind === tblWrite) {
        const { offset } = tblWrite.read(words, at);
        const parts = this.#held.changed(state, object, msixEntry.at.address);
        const fn = ownerOf(state, object);
        const { bits, known } = this.#held.control(object);
        const by = maskedByBits(enabledIn(state, fn), functionMaskIn(state, fn), own.flagIn(bits, known));
        this.judged++;
        if (parts !== 0 && by === 'none') change = { step, object, parts, offset, before: this.#held.message(object) };
      }
      this.#held.keep(state, object, msixEntry.at.address, msixEntry.at.control);
    } else if (type === device) {
      const cap = state.world.node(object)?.children.get('msi')?.object ?? -1;
      if (cap >= 0 && state.present(cap)) {
        if (kind === cfgWrite) {
          const { offset } = cfgWrite.read(words, at);
          const parts = this.#held.changed(state, cap, msi.at.address);
          const { bits, known } = this.#held.control(cap);
          const by = maskedByBits(msiControl.f.enable.flagIn(bits, known), false, msiMaskBit(state, cap));
          this.judged++;
          if (parts !== 0 && by === 'none')
            change = { step, object: cap, parts, offset, before: this.#held.message(cap) };
        }
        this.#held.keep(state, cap, msi.at.address, msi.at.control);
      }
      if (MOVED.has(kind)) for (const entry of entriesOf(state, object)) this.#held.forget(entry);
    } else this.#held.clear();
    return change;
  }

  /** The trace lost events. */
  lose(): void {
    this.#held.clear();
  }
}
