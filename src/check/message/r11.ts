import type { ObjectId, Step } from '../../base/ids.ts';
import { devReset } from '../../model/events/function.ts';
import { intx, tblWrite } from '../../model/events/msix.ts';
import { cfgWrite, msixCtrl } from '../../model/events/pci.ts';
import { enabledIn, ownerOf } from '../../model/masking.ts';
import { msiControl, msixVectorControl, pciCommand } from '../../model/registers/pci.ts';
import type { State } from '../../model/state.ts';
import { device, msi, msixEntry } from '../../model/things/pci.ts';
import { entriesOf } from '../device/entries.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Rule } from '../rule.ts';

/** Which of the two capabilities of a function is on; empty for none, or not known. */
function modeOf(state: State, fn: ObjectId): '' | 'MSI' | 'MSI-X' {
  if (enabledIn(state, fn) === true) return 'MSI-X';
  const cap = state.world.node(fn)?.children.get('msi')?.object ?? -1;
  return cap >= 0 && msiControl.f.enable.flag(state, cap, msi.at.control) === true ? 'MSI' : '';
}

/** Whether a capability that is off still holds a message that could be sent: drivers that are done with it leave zeros (FA10 is not this). */
function stillProgrammed(state: State, fn: ObjectId, mode: 'MSI' | 'MSI-X'): boolean {
  if (mode === 'MSI') return state.num(state.world.node(fn)?.children.get('msi')?.object ?? -1, msi.at.address) > 0;
  return entriesOf(state, fn).some(
    (entry) =>
      state.num(entry, msixEntry.at.address) > 0 &&
      msixVectorControl.f.mask.flag(state, entry, msixEntry.at.control) === false,
  );
}

/** Whether a config write is one of the message of the MSI capability: it lies from the address on, up to the mask bits. */
function writesMessage(state: State, fn: ObjectId, offset: number): boolean {
  const at = state.num(fn, device.at.msiAt);
  return at > 0 && offset >= at + 4 && offset < at + 0x10;
}

/** A cause that arose while the capability was off. */
interface Fallen {
  readonly mode: 'MSI' | 'MSI-X';
  readonly step: Step;
  readonly ago: string;
  readonly silent: boolean;
}

/** R11. */
export const staysEnabled: Rule<'R11'> = {
  id: 'R11',
  names: [],
  title: 'MSI was switched off under an interrupt in use',
  meaning: 'While a function has causes, the capability that its driver programmed stays enabled.',
  severity: 'error',
  reference:
    'PCIe 7.7.1.2, 7.7.2.2: without MSI and MSI-X a function uses its INTx pin, which Interrupt Disable silences',
  kinds: [cfgWrite, msixCtrl, devReset, tblWrite, intx],
  needs: [[intx], [cfgWrite, msixCtrl]],
  needsAll: false,
  confirm:
    'who wrote the Message Control register (setpci, sysfs config, firmware), and lspci -vvv at that time (MSI: Enable-)',
  watch(report, scene) {
    /** The capability of each function that is on. */
    const modes = new Map<ObjectId, 'MSI' | 'MSI-X'>();
    /** Functions whose capability was switched off with its message in place: which one. */
    const off = new Map<ObjectId, 'MSI' | 'MSI-X'>();
    const switched = new LastEvents();
    const now = new Now();
    let judged = 0;
    /** What a cause of each function fell back to; told once it shows whether the driver meant it. */
    const fallen = new Map<ObjectId, Fallen>();
    const tell = (fn: ObjectId, again: Step | undefined): void => {
      const { mode, step, ago, silent } = fallen.get(fn)!;
      fallen.delete(fn);
      const name = scene.world.node(fn)?.segment ?? '?';
      const lost = silent || again !== undefined;
      report({
        step,
        object: fn,
        severity: lost ? 'error' : 'warning',
        title: `${name} had a cause while ${mode} is off, which it was set up for${lost ? ': the interrupt is lost' : ''}`,
        text: `${mode} of ${name} was switched off${ago === '' ? '' : ` ${ago}`} with its message still in place, and a cause arose: the function drives its INTx pin instead, ${silent ? 'and Interrupt Disable silences that too' : 'where no handler of a driver that uses messages listens'}.${again === undefined ? '' : ` ${mode} was switched on again with the same message, which was not written again: its driver knows nothing of it. Nothing is sent for that cause.`}`,
        evidence: steps(switched.step(fn), again),
        lost,
      });
    };
    const look = (step: Step, fn: ObjectId, time: number, state: State): void => {
      const mode = modeOf(state, fn);
      if (mode !== '') {
        if (fallen.has(fn)) tell(fn, step);
        modes.set(fn, mode);
        off.delete(fn);
        return;
      }
      const was = modes.get(fn);
      if (was === undefined) return;
      modes.delete(fn);
      if (!stillProgrammed(state, fn, was)) return;
      off.set(fn, was);
      switched.note(fn, step, time);
    };
    /** The driver has to do with the messages of a function: it knows that they are off. */
    const known = (fn: ObjectId): void => {
      off.delete(fn);
      if (fallen.has(fn)) tell(fn, undefined);
    };
    return {
      event(step, happened, state) {
        const { kind, object, words, at } = happened;
        const time = now.at(happened);
        if (kind === tblWrite) {
          if (off.size > 0 || fallen.size > 0) known(ownerOf(state, object));
          return;
        }
        if (state.world.type(object) !== device) return;
        if (kind === devReset) {
          modes.delete(object);
          known(object);
        } else if (kind !== intx) {
          if (kind === cfgWrite && (off.has(object) || fallen.has(object)))
            if (writesMessage(state, object, cfgWrite.read(words, at).offset)) known(object);
          look(step, object, time, state);
        } else {
          if (intx.read(words, at).level === false) return;
          judged++;
          const mode = off.get(object);
          if (mode === undefined || fallen.has(object) || !stillProgrammed(state, object, mode)) return;
          const silent = pciCommand.f.intxDisable.flag(state, object, device.at.command) === true;
          fallen.set(object, {
            mode,
            step,
            ago: before(scene, switched.ago(object, time), switched.step(object), step),
            silent,
          });
        }
      },
      end() {
        for (const fn of [...fallen.keys()]) tell(fn, undefined);
      },
      lost() {
        modes.clear();
        off.clear();
        fallen.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
