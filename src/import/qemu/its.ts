import { hexText } from '../../base/hex.ts';
import {
  itsCommand,
  itsCteAccess,
  itsDiscard,
  itsDteAccess,
  itsError,
  itsInt,
  itsInv,
  itsIteAccess,
  itsMapc,
  itsMapd,
  itsMapti,
  itsMovi,
  itsTrans,
} from '../../model/events/its.ts';
import type { Captures } from '../pattern.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';

/** The emulator has one ITS and does not number it. */
const ITS = 'its/0';

const itsDevice = (q: Qemu, id: number): number => q.object(`${ITS}/device/${hexText(id)}`);
const itsEvent = (q: Qemu, id: number, event: number): number =>
  q.object(`${ITS}/device/${hexText(id)}/event/${event}`);
const itsCollection = (q: Qemu, icid: number): number => q.object(`${ITS}/collection/${icid}`);

/**
 * ITT addresses: MAPD and device table writes print the field (address >> 8), reads print the address. If a version
 * prints both in the same way, the first read after a write shows it.
 */
class IttAddresses {
  readonly #fields = new Map<number, [lo: number, hi: number]>();
  readonly #devices = new Map<string, number>();
  #whole = false;

  /** The address behind the field that was printed for a device. */
  fromField(id: number, lo: number, hi: number): [number, number] {
    this.#fields.set(id, [lo, hi]);
    return this.#note(id, this.#whole ? [lo, hi] : [(lo << 8) >>> 0, ((hi << 8) | (lo >>> 24)) >>> 0]);
  }

  /** An address that a read printed. */
  fromRead(id: number, lo: number, hi: number): [number, number] {
    const field = this.#fields.get(id);
    if (field && lo !== 0 && field[0] === lo && field[1] === hi) this.#whole = true;
    return this.#note(id, [lo, hi]);
  }

  /** The device whose table lies there, or -1. */
  device(lo: number, hi: number): number {
    return this.#devices.get(`${hi}:${lo}`) ?? -1;
  }

  #note(id: number, itt: [number, number]): [number, number] {
    this.#devices.set(`${itt[1]}:${itt[0]}`, id);
    return itt;
  }
}

const itts = new WeakMap<Qemu, IttAddresses>();
function ittOf(q: Qemu): IttAddresses {
  let known = itts.get(q);
  if (known === undefined) itts.set(q, (known = new IttAddresses()));
  return known;
}

function dte(
  q: Qemu,
  c: Captures,
  s: { readonly id: number; readonly valid: number; readonly size: number; readonly itt: number },
  write: boolean,
): void {
  const id = c.lo[s.id]!;
  const itt = write
    ? ittOf(q).fromField(id, c.lo[s.itt]!, c.hi[s.itt]!)
    : ittOf(q).fromRead(id, c.lo[s.itt]!, c.hi[s.itt]!);
  q.thread.itsDevice = id;
  q.emit(
    itsDteAccess
      .put()
      .write(write)
      .valid(c.lo[s.valid] !== 0)
      .size(c.lo[s.size]!)
      .itt(itt[0], itt[1]),
    itsDevice(q, id),
  );
}

function ite(
  q: Qemu,
  c: Captures,
  s: {
    readonly itt: number;
    readonly event: number;
    readonly valid: number;
    readonly intid: number;
    readonly icid: number;
  },
  write: boolean,
): false | undefined {
  const known = ittOf(q).device(c.lo[s.itt]!, c.hi[s.itt]!);
  const id = known >= 0 ? known : q.thread.itsDevice;
  if (id < 0) return false;
  q.thread.itsEvent = itsEvent(q, id, c.lo[s.event]!);
  q.emit(
    itsIteAccess
      .put()
      .write(write)
      .valid(c.lo[s.valid] !== 0)
      .lpi(c.lo[s.intid]!)
      .collection(c.lo[s.icid]!),
    q.thread.itsEvent,
  );
  return undefined;
}

function cte(
  q: Qemu,
  c: Captures,
  s: { readonly icid: number; readonly valid: number; readonly rd: number },
  write: boolean,
): void {
  q.emit(
    itsCteAccess
      .put()
      .write(write)
      .valid(c.lo[s.valid] !== 0)
      .target(c.lo[s.rd]!),
    itsCollection(q, c.lo[s.icid]!),
  );
}

function mapti(q: Qemu, id: number, event: number, lpi: number, icid: number): void {
  q.emit(itsMapti.put().lpi(lpi).collection(icid), named(q, id, event));
}

/** The ITT entry that a command names; a refusal that is printed next is about it. */
function named(q: Qemu, id: number, event: number): number {
  q.thread.itsDevice = id;
  q.thread.itsEvent = itsEvent(q, id, event);
  return q.thread.itsEvent;
}

const PREFIX = 'GICv3 ITS: ';
const devEvent = 'DeviceID {id:x} EventID {event:x}';

const plain = (name: string, word: string): QemuRule =>
  rule(name, `${PREFIX}{text:r}`, (q, _c, s) => {
    q.emit(itsCommand.put().name(q.intern(word)).text(q.str(s.text)), q.object(ITS));
  });

const faulted = (name: string): QemuRule =>
  rule(name, `${PREFIX}{text:r}`, (q, _c, s) => {
    q.emit(itsError.put().text(q.str(s.text)), q.object(ITS));
  });

export const itsRules: readonly QemuRule[] = [
  rule(
    'gicv3_its_cmd_mapd',
    `${PREFIX}command MAPD DeviceID {id:x} Size {size:x} ITT_addr {itt:x} V {valid:u}`,
    (q, c, s) => {
      const id = c.lo[s.id]!;
      const itt = ittOf(q).fromField(id, c.lo[s.itt]!, c.hi[s.itt]!);
      q.thread.itsDevice = id;
      q.thread.itsEvent = -1;
      q.emit(
        itsMapd
          .put()
          .size(c.lo[s.size]!)
          .itt(itt[0], itt[1])
          .valid(c.lo[s.valid] !== 0),
        itsDevice(q, id),
      );
    },
  ),
  rule('gicv3_its_cmd_mapc', `${PREFIX}command MAPC ICID {icid:x} RDbase {rd:x} V {valid:u}`, (q, c, s) => {
    q.emit(
      itsMapc
        .put()
        .target(c.lo[s.rd]!)
        .valid(c.lo[s.valid] !== 0),
      itsCollection(q, c.lo[s.icid]!),
    );
  }),
  rule('gicv3_its_cmd_mapti', `${PREFIX}command MAPTI ${devEvent} ICID {icid:x} pINTID {lpi:x}`, (q, c, s) =>
    mapti(q, c.lo[s.id]!, c.lo[s.event]!, c.lo[s.lpi]!, c.lo[s.icid]!),
  ),
  rule('gicv3_its_cmd_mapi', `${PREFIX}command MAPI ${devEvent} ICID {icid:x}`, (q, c, s) =>
    mapti(q, c.lo[s.id]!, c.lo[s.event]!, c.lo[s.event]!, c.lo[s.icid]!),
  ),
  rule('gicv3_its_cmd_movi', `${PREFIX}command MOVI ${devEvent} ICID {icid:x}`, (q, c, s) => {
    q.emit(itsMovi.put().collection(c.lo[s.icid]!), named(q, c.lo[s.id]!, c.lo[s.event]!));
  }),
  rule('gicv3_its_cmd_discard', `${PREFIX}command DISCARD ${devEvent}`, (q, c, s) =>
    q.emit(itsDiscard.put(), named(q, c.lo[s.id]!, c.lo[s.event]!)),
  ),
  rule('gicv3_its_cmd_inv', `${PREFIX}command INV ${devEvent}`, (q, c, s) =>
    q.emit(itsInv.put(), named(q, c.lo[s.id]!, c.lo[s.event]!)),
  ),
  rule('gicv3_its_cmd_int', `${PREFIX}command INT ${devEvent}`, (q, c, s) => {
    q.emit(itsInt.put().set(true), named(q, c.lo[s.id]!, c.lo[s.event]!));
  }),
  rule('gicv3_its_cmd_clear', `${PREFIX}command CLEAR ${devEvent}`, (q, c, s) => {
    q.emit(itsInt.put().set(false), named(q, c.lo[s.id]!, c.lo[s.event]!));
  }),
  plain('gicv3_its_cmd_sync', 'SYNC'),
  plain('gicv3_its_cmd_invall', 'INVALL'),
  plain('gicv3_its_cmd_movall', 'MOVALL'),
  plain('gicv3_its_cmd_vmapi', 'VMAPI'),
  plain('gicv3_its_cmd_vmapti', 'VMAPTI'),
  plain('gicv3_its_cmd_vmapp', 'VMAPP'),
  plain('gicv3_its_cmd_vmovp', 'VMOVP'),
  plain('gicv3_its_cmd_vsync', 'VSYNC'),
  plain('gicv3_its_cmd_vmovi', 'VMOVI'),
  plain('gicv3_its_cmd_vinvall', 'VINVALL'),
  plain('gicv3_its_cmd_unknown', 'unknown'),
  rule(
    'gicv3_its_translation_write',
    'GICv3 ITS TRANSLATER write: offset {offset:x} data {event:x} size {size:u} requester_id {id:x}',
    (q, c, s) => {
      const id = c.lo[s.id]!;
      const event = c.lo[s.event]!;
      q.thread.itsDevice = id;
      q.thread.itsEvent = itsEvent(q, id, event);
      q.emit(itsTrans.put().device(id).event(event).size(c.lo[s.size]!), q.thread.itsEvent);
    },
  ),
  rule(
    'gicv3_its_dte_read',
    `${PREFIX}Device Table read for DeviceID {id:x}: valid {valid:u} size {size:x} ITTaddr {itt:x}`,
    (q, c, s) => dte(q, c, s, false),
  ),
  rule(
    'gicv3_its_dte_write',
    `${PREFIX}Device Table write for DeviceID {id:x}: valid {valid:u} size {size:x} ITTaddr {itt:x}`,
    (q, c, s) => dte(q, c, s, true),
  ),
  rule(
    'gicv3_its_ite_read',
    `${PREFIX}Interrupt Table read for ITTaddr {itt:x} EventID {event:x}: valid {valid:u} inttype {type:u} intid {intid:x} ICID {icid:x}…`,
    (q, c, s) => ite(q, c, s, false),
  ),
  rule(
    'gicv3_its_ite_write',
    `${PREFIX}Interrupt Table write for ITTaddr {itt:x} EventID {event:x}: valid {valid:u} inttype {type:u} intid {intid:x} ICID {icid:x}…`,
    (q, c, s) => ite(q, c, s, true),
  ),
  rule(
    'gicv3_its_cte_read',
    `${PREFIX}Collection Table read for ICID {icid:x}: valid {valid:u} RDBase {rd:x}`,
    (q, c, s) => cte(q, c, s, false),
  ),
  rule(
    'gicv3_its_cte_write',
    `${PREFIX}Collection Table write for ICID {icid:x}: valid {valid:u} RDBase {rd:x}`,
    (q, c, s) => cte(q, c, s, true),
  ),
  faulted('gicv3_its_dte_read_fault'),
  faulted('gicv3_its_ite_read_fault'),
  faulted('gicv3_its_cte_read_fault'),
  faulted('gicv3_its_vte_read_fault'),
  rule('gicv3_its_vte_read', '{text:r}', () => false),
  rule('gicv3_its_vte_write', '{text:r}', () => false),
  rule('kvm_arm_fixup_msi_route', 'MSI iova = {iova:x} is translated into {out:x}', () => false),
];
