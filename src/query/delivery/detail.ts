import { hex32, hex64 } from '../../base/hex.ts';
import type { Step } from '../../base/ids.ts';
import { gicDeactivate, gicEoi } from '../../model/events/apic.ts';
import { itsCteAccess, itsDteAccess, itsIteAccess, itsQueue, itsTrans } from '../../model/events/its.ts';
import { devRaise, msgSend } from '../../model/events/msix.ts';
import { irMessage, irRemap, irRequest, irteRead } from '../../model/events/remap.ts';
import { smmuTrans } from '../../model/events/smmu.ts';
import { effectivelyMasked, enabledIn, functionMaskIn, msiMaskBit, ownerOf, pendingOf } from '../../model/masking.ts';
import { decodersById } from '../../model/message.ts';
import { msiControl, msixVectorControl } from '../../model/registers/pci.ts';
import { vtdIrte } from '../../model/registers/vtd.ts';
import type { State } from '../../model/state.ts';
import { imsEntry } from '../../model/things/ims.ts';
import { msi, msixEntry } from '../../model/things/pci.ts';
import { irte } from '../../model/things/remap.ts';
import { messageKind } from '../../model/translate.ts';
import { type EventRow, eventRow } from '../../trace/row.ts';
import type { Trace } from '../../trace/trace.ts';
import { viewEvent } from '../events.ts';
import { itsCommandText } from '../explain/its.ts';

const bit = (flag: boolean | undefined): string => (flag === undefined ? '?' : flag ? '1' : '0');

/** The bits that decide whether an entry may send. */
function entryBits(state: State, entry: number, vector?: number): string {
  const type = state.world.type(entry);
  const pending = bit(pendingOf(state, entry, vector));
  if (type === imsEntry) return `entry mask ${bit(effectivelyMasked(state, entry))}, pending ${pending}`;
  if (type === msi) {
    const on = bit(msiControl.f.enable.flag(state, entry, msi.at.control));
    return `MSI enable ${on}, vector mask ${bit(msiMaskBit(state, entry, vector))}, pending ${pending}`;
  }
  if (type !== msixEntry) return '';
  const fn = ownerOf(state, entry);
  const mask = bit(msixVectorControl.f.mask.flag(state, entry, msixEntry.at.control));
  return `MSI-X enable ${bit(enabledIn(state, fn))}, function mask ${bit(functionMaskIn(state, fn))}, entry mask ${mask}, pending ${pending}`;
}

function raised(row: EventRow, state: State): string {
  const { vector } = devRaise.read(row.words, row.at);
  const what = vector === undefined ? 'cause' : `cause for vector ${vector}`;
  const bits = entryBits(state, row.object, vector);
  const masked = effectivelyMasked(state, row.object, vector);
  const effect = masked === true ? ' (masked: no message now)' : '';
  return bits === '' ? what : `${what}; ${bits}${effect}`;
}

function message(row: EventRow, state: State): string {
  const { address, data, requester } = msgSend.read(row.words, row.at);
  const from = requester === undefined ? '' : ` from requester ID ${hex32(requester)}`;
  const view = decodersById[messageKind(state, row.object)].decode(address(0), address(1), data);
  return `${hex64(address(1), address(0))}/${hex32(data)}${from}${view ? `: ${view.text}` : ''}`;
}

function entryRead(row: EventRow, state: State): string {
  const { present, posted, vector, sid } = vtdIrte.f;
  const at = irte.at.value;
  const { object } = row;
  if (present.flag(state, object, at) === false) return 'table entry is not present';
  const where = posted.flag(state, object, at) === true ? 'posted' : `vector ${vector.get(state, object, at)}`;
  return `table entry: present, ${where}, SID ${hex32(sid.get(state, object, at))}`;
}

/** The event of a row in words; undefined where its arguments say all. */
function special(row: EventRow, state: State): string | undefined {
  const { kind, words, at } = row;
  switch (kind) {
    case devRaise:
      return raised(row, state);
    case msgSend:
      return message(row, state);
    case irteRead:
      return entryRead(row, state);
    case irRequest: {
      const { address, data, sid } = irRequest.read(words, at);
      const from = sid === undefined ? '' : ` from requester ID ${hex32(sid)}`;
      return `message ${hex64(address(1), address(0))}/${hex32(data(0))}${from} at the remapping unit`;
    }
    case irRemap: {
      const { vector, dest } = irRemap.read(words, at);
      return `goes to vector ${vector}, APIC id ${dest}`;
    }
    case irMessage: {
      const { newAddress, newData } = irMessage.read(words, at);
      return `leaves the unit as ${hex64(newAddress(1), newAddress(0))}/${hex32(newData)}`;
    }
    case smmuTrans: {
      const { iova, output } = smmuTrans.read(words, at);
      return `IOVA ${hex64(iova(1), iova(0))} -> ${hex64(output(1), output(0))}`;
    }
    case itsTrans: {
      const { device, event } = itsTrans.read(words, at);
      return `doorbell write: DeviceID ${hex32(device)}, EventID ${event}`;
    }
    case itsQueue: {
      const a = itsQueue.read(words, at);
      const dwords = [a.dw0, a.dw1, a.dw2, a.dw3].map((of) => (BigInt(of(1)) << 32n) | BigInt(of(0)));
      return itsCommandText(dwords);
    }
    case itsDteAccess: {
      const { valid, size } = itsDteAccess.read(words, at);
      return valid ? `device table entry: valid, ${size + 1} EventID bits` : 'device table entry is not valid';
    }
    case itsIteAccess: {
      const { valid, lpi, collection } = itsIteAccess.read(words, at);
      return valid ? `LPI ${lpi}, collection ${collection}` : 'the EventID is not mapped';
    }
    case gicEoi: {
      const { mode } = gicEoi.read(words, at);
      if (mode === undefined) return undefined;
      return mode === 0 ? 'end of interrupt (EOImode 0)' : 'priority drop (EOImode 1): it stays active';
    }
    case gicDeactivate:
      return 'deactivated';
    case itsCteAccess: {
      const { valid, target } = itsCteAccess.read(words, at);
      return valid ? `the collection goes to processor ${target}` : 'the collection is not mapped';
    }
    default:
      return undefined;
  }
}

/** What an event of a delivery says, with the state bits that decide there. `state`: after the event. */
export function hopDetail(trace: Trace, step: Step, state: State): string {
  const row = trace.table.read(step, eventRow(trace.table.kind(step)));
  const text = special(row, state);
  if (text !== undefined) return text;
  const { kind, fields } = viewEvent(trace, step);
  const args = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return args.length === 0 ? kind : `${kind}: ${args.join(', ')}`;
}
