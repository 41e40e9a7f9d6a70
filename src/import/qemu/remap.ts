import {
  amdInvalidate,
  amdRead,
  iecInvalidate,
  irEnable,
  irFault,
  irMessage,
  irMode,
  irRemap,
  irRequest,
  irSeen,
  irTable,
  irteRead,
  irWarn,
} from '../../model/events/remap.ts';
import { amdData } from '../../model/registers/amd.ts';
import { iecDescriptor, irtaRegister, vtdFaultRecord } from '../../model/registers/vtd.ts';
import { amdIrte, irte, remapUnit } from '../../model/things/remap.ts';
import type { Captures } from '../pattern.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';
import { receivedByAmd } from './send.ts';

/** The emulator has one VT-d unit and does not number it. */
const UNIT = 'irte/0';

/** Register offset of IRTA_REG (VT-d 11.4.5.5). */
const IRTA = 0xb8;

function unit(q: Qemu, kind: string, path: string): number {
  const object = q.out.world.object(remapUnit, path);
  if (!q.out.state.present(object)) {
    q.emit(irSeen.put().kind(q.intern(kind)), object);
  }
  return object;
}

const vtd = (q: Qemu): number => unit(q, 'VT-d', UNIT);
const entry = (q: Qemu, index: number): number => {
  vtd(q);
  return q.out.world.byNumbers(irte, index, 0, (i) => `${UNIT}/${i}`);
};

const amdUnit = (q: Qemu, devid: number): number => unit(q, 'AMD-Vi', `irte/amdvi-0x${devid.toString(16)}`);
const amdEntry = (q: Qemu, devid: number, index: number): number => {
  amdUnit(q, devid);
  return q.out.world.byNumbers(amdIrte, devid, index, (d, i) => `irte/amdvi-0x${d.toString(16)}/${i}`);
};

/** The emulator's number for "the requester is not known" (X86_IOMMU_SID_INVALID, UINT16_MAX in the traces). */
const NO_SID = 0xffff;

/** `sid`: -1 where nothing tells the requester. */
function fault(q: Qemu, object: number, text: string, sid: number): void {
  const event = irFault.put().text(q.intern(text));
  if (sid >= 0) event.sid(sid);
  q.emit(event, object);
}

/** Texts of amd_iommu.c about the entry itself; the others are about the message, or about the unit. */
const ABOUT_ENTRY = /RemapEn|IRTE|guest mode|int_type/i;

/** A message of the request before on this thread was refused: no result follows. */
function amdFault(q: Qemu, text: string): void {
  const { amdDevice, irte: asked } = q.thread;
  q.thread.irte = -1;
  if (asked >= 0 && ABOUT_ENTRY.test(text)) fault(q, asked, text, amdDevice);
  else fault(q, amdDevice >= 0 ? amdUnit(q, amdDevice) : q.object('log'), text, amdDevice);
}

function request(q: Qemu, c: Captures, address: number, data: number, object: number, sid: number): void {
  const event = irRequest.put().address(c.lo[address]!, c.hi[address]!).data(c.lo[data]!, c.hi[data]!);
  if (sid >= 0 && sid !== NO_SID) event.sid(sid);
  q.emit(event, object);
}

function remapped(
  q: Qemu,
  c: Captures,
  s: { readonly address: number; readonly data: number; readonly toAddress: number; readonly toData: number },
  object: number,
  used: boolean,
): void {
  const event = irMessage
    .put()
    .data(c.lo[s.data]!)
    .newData(c.lo[s.toData]!)
    .address(c.lo[s.address]!, c.hi[s.address]!)
    .newAddress(c.lo[s.toAddress]!, c.hi[s.toAddress]!);
  if (used) event.entry(true);
  q.emit(event, object);
}

function invalidate(q: Qemu, global: boolean, index: number, mask: number): void {
  const object = global ? vtd(q) : entry(q, index);
  q.emit(iecInvalidate.put().global(global).index(index).mask(mask), object);
}

function warn(
  q: Qemu,
  c: Captures,
  s: { readonly sid: number; readonly index: number; readonly found: number; readonly expected: number },
  what: string,
): void {
  const { world } = q.out;
  const object = entry(q, c.lo[s.index]!);
  const event = irWarn.put().what(world.strings.intern(what)).found(c.lo[s.found]!).expected(c.lo[s.expected]!);
  if (c.lo[s.sid] !== NO_SID) event.sid(c.lo[s.sid]!);
  q.emit(event, object);
}

/** The unit refused an interrupt: false for a fault of DMA. Reasons from 0x20 on are those of interrupts. */
function refused(q: Qemu, reason: number, index: number, sid: number): false | undefined {
  if (reason < 0x20 || reason > 0x2f) return false;
  // The index of a fault about another format means nothing.
  const object = reason === 0x25 ? vtd(q) : entry(q, index);
  q.thread.irte = -1;
  const event = irFault.put().reason(reason).index(index);
  if (sid !== NO_SID) event.sid(sid);
  q.emit(event, object);
  return undefined;
}

const arrow = '(addr {address:x}, data {data:x}) -> (addr {toAddress:x}, data {toData:x})';

export const remapRules: readonly QemuRule[] = [
  rule('vtd_ir_enable', 'enable {enable:u}', (q, c, s) => {
    const enable = c.lo[s.enable]!;
    const object = vtd(q);
    q.emit(irEnable.put().enable(enable !== 0), object);
  }),
  rule('vtd_reg_ir_root', 'addr {addr:x} size {size:x}', (q, c, s) => {
    const object = vtd(q);
    q.emit(irTable.put().entries(c.lo[s.size]!).address(c.lo[s.addr]!, c.hi[s.addr]!), object);
  }),
  rule('vtd_reg_write', 'addr {addr:x} size {size:x} value {value:x}', (q, c, s) => {
    if (c.lo[s.addr] !== IRTA) return false;
    const eim = irtaRegister.f.eime.of(c.lo[s.value]!);
    const object = vtd(q);
    q.emit(irMode.put().eim(eim !== 0), object);
  }),
  rule('vtd_ir_remap_msi_req', 'addr {address:x} data {data:x}', (q, c, s) => {
    const index = q.vtdIndex(c.lo[s.address]!, c.hi[s.address]!, c.lo[s.data]!);
    const object = index < 0 ? vtd(q) : entry(q, index);
    q.thread.irte = object;
    request(q, c, s.address, s.data, object, -1);
  }),
  rule('vtd_ir_irte_get', 'index {index:u} low {low:x} high {high:x}', (q, c, s) => {
    const object = entry(q, c.lo[s.index]!);
    q.thread.irte = object;
    // The emulator swaps the labels: "high" is bits 63:0, "low" is bits 127:64.
    q.emit(irteRead.put().value(c.lo[s.high]!, c.hi[s.high]!, c.lo[s.low]!, c.hi[s.low]!), object);
  }),
  rule(
    'vtd_ir_remap',
    'index {index:u} trigger {trigger:u} vector {vector:u} deliver {deliver:u} dest {dest:x} mode {mode:u}',
    (q, c, s) => {
      const object = entry(q, c.lo[s.index]!);
      q.emit(
        irRemap
          .put()
          .vector(c.lo[s.vector]!)
          .dest(c.lo[s.dest]!)
          .destMode(c.lo[s.mode]!)
          .deliveryMode(c.lo[s.deliver]!)
          .trigger(c.lo[s.trigger]!),
        object,
      );
    },
  ),
  rule('vtd_ir_remap_type', '{type:r}', () => false),
  rule('vtd_ir_remap_msi', arrow, (q, c, s) => {
    const object = q.thread.irte >= 0 ? q.thread.irte : vtd(q);
    q.thread.irte = -1;
    remapped(q, c, s, object, false);
  }),
  rule('vtd_inv_desc_iec', 'granularity {granularity:x} index {index:x} mask {mask:x}', (q, c, s) =>
    invalidate(
      q,
      c.lo[s.granularity] === 0,
      c.lo[s.index]! & iecDescriptor.f.index.max,
      c.lo[s.mask]! & iecDescriptor.f.mask.max,
    ),
  ),
  rule('x86_iommu_iec_notify', 'Notify IEC invalidation: global={global:u} index={index:u} mask={mask:u}', () => false),
  rule('vtd_warn_ir_vector', 'sid {sid:x} index {index:u} vec {found:u} (should be: {expected:u})', (q, c, s) =>
    warn(q, c, s, 'vector'),
  ),
  rule('vtd_warn_ir_trigger', 'sid {sid:x} index {index:u} trigger {found:u} (should be: {expected:u})', (q, c, s) =>
    warn(q, c, s, 'trigger'),
  ),
  rule('vtd_dmar_fault', 'sid {sid:x} fault {fault:u} addr {addr:x} write {write:u}', (q, c, s) => {
    return refused(q, c.lo[s.fault]!, vtdFaultRecord.f.index.of(c.hi[s.addr]!), c.lo[s.sid]!);
  }),
  // Since QEMU 8.1 the fault of an interrupt has no other record (vtd_report_ir_fault); a fault of DMA also has vtd_dmar_fault.
  rule('vtd_frr_new', 'index {slot:u} high {high:x} low {low:x}', (q, c, s) => {
    const words = [c.lo[s.low]!, c.hi[s.low]!, c.lo[s.high]!, c.hi[s.high]!];
    const { index, sid, reason } = vtdFaultRecord.f;
    return refused(q, reason.of(words[reason.word]!), index.of(words[index.word]!), sid.of(words[sid.word]!));
  }),
  rule('vtd_irq_generate', 'addr {addr:x} data {data:x}', () => false),
  rule('amdvi_ir_remap_msi_req', 'addr {address:x} data {data:x} devid {devid:x}', (q, c, s) => {
    const devid = c.lo[s.devid]!;
    receivedByAmd(q, c.lo[s.address]!, c.hi[s.address]!, c.lo[s.data]!, devid);
    q.thread.amdDevice = devid;
    q.thread.irte = amdEntry(q, devid, amdData.f.index.of(c.lo[s.data]!));
    q.thread.amdRead = false;
    request(q, c, s.address, s.data, q.thread.irte, devid);
  }),
  rule('amdvi_ir_irte', '{base:w} {address:x} offset {offset:x}', () => false),
  rule('amdvi_ir_irte_val', 'data {data:x}', (q, c, s) => {
    if (q.thread.irte < 0) return false;
    q.thread.amdRead = true;
    q.emit(amdRead.put().low(c.lo[s.data]!, 0), q.thread.irte);
  }),
  rule('amdvi_ir_irte_ga_val', 'hi {hi:x} lo {lo:x}', (q, c, s) => {
    if (q.thread.irte < 0) return false;
    q.thread.amdRead = true;
    q.emit(amdRead.put().low(c.lo[s.lo]!, c.hi[s.lo]!).high(c.lo[s.hi]!, c.hi[s.hi]!), q.thread.irte);
  }),
  rule('amdvi_ir_remap_msi', arrow, (q, c, s) => {
    const { irte: known, amdRead: read } = q.thread;
    q.thread.irte = -1;
    // Without remapping the unit passes the message on as it came and reads no entry.
    const changed = c.lo[s.data] !== c.lo[s.toData] || c.lo[s.address] !== c.lo[s.toAddress];
    if (known >= 0) remapped(q, c, s, known, read || changed);
    else if (q.thread.amdDevice >= 0) remapped(q, c, s, amdUnit(q, q.thread.amdDevice), false);
    else remapped(q, c, s, q.object('log'), false);
  }),
  rule('amdvi_ir_err', '{text:r}', (q, _c, s) => amdFault(q, q.text(s.text))),
  rule('amdvi_ir_target_abort', '{text:r}', (q, _c, s) => amdFault(q, q.text(s.text))),
  rule('amdvi_ir_delivery_mode', '{text:r}', () => false),
  rule('amdvi_ir_intctl', '{text:r}', () => false),
  rule('amdvi_mem_ir_write_req', '{text:r}', () => false),
  rule('amdvi_mem_ir_write', '{text:r}', () => false),
  rule('amdvi_intr_inval', 'Interrupt table invalidated', (q) => {
    // The line does not say whose table: all units lose what they cached.
    const units = [...(q.out.world.find('irte')?.children.values() ?? [])].filter((n) =>
      n.segment.startsWith('amdvi-'),
    );
    for (const node of units) q.emit(amdInvalidate.put(), node.object);
    return units.length > 0 ? undefined : false;
  }),
];
