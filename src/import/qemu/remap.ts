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

/** The emulator has one VT-d unit and does not number it. */
const UNIT = 'irte/0';

/** Register offset of IRTA_REG (VT-d 11.4.5.5). */
const IRTA = 0xb8;

function unit(q: Qemu, kind: string, path: string): number {
  const object = q.out.world.object(remapUnit, path);
  if (!q.out.state.present(object)) {
    q.out.words[irSeen.at.kind] = q.out.world.strings.intern(kind);
    q.emit(irSeen, object);
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

function put64(words: Uint32Array, at: number, c: Captures, slot: number): void {
  words[at] = c.lo[slot]!;
  words[at + 1] = c.hi[slot]!;
}

function fault(q: Qemu, object: number, text: string): void {
  q.out.words[0] = irFault.bit.text;
  q.out.words[irFault.at.text] = q.out.world.strings.intern(text);
  q.emit(irFault, object);
}

function request(q: Qemu, c: Captures, address: number, data: number, object: number, sid: number): void {
  const { words: w } = q.out;
  w[0] = sid >= 0 ? irRequest.bit.sid : 0;
  put64(w, irRequest.at.address, c, address);
  put64(w, irRequest.at.data, c, data);
  w[irRequest.at.sid] = Math.max(0, sid);
  q.emit(irRequest, object);
}

function remapped(
  q: Qemu,
  c: Captures,
  s: { readonly address: number; readonly data: number; readonly toAddress: number; readonly toData: number },
  object: number,
): void {
  const { words: w } = q.out;
  put64(w, irMessage.at.address, c, s.address);
  w[irMessage.at.data] = c.lo[s.data]!;
  put64(w, irMessage.at.newAddress, c, s.toAddress);
  w[irMessage.at.newData] = c.lo[s.toData]!;
  q.emit(irMessage, object);
}

function invalidate(q: Qemu, global: boolean, index: number, mask: number): void {
  const { words: w } = q.out;
  const object = global ? vtd(q) : entry(q, index);
  w[iecInvalidate.at.global] = global ? 1 : 0;
  w[iecInvalidate.at.index] = index;
  w[iecInvalidate.at.mask] = mask;
  q.emit(iecInvalidate, object);
}

function warn(
  q: Qemu,
  c: Captures,
  s: { readonly sid: number; readonly index: number; readonly found: number; readonly expected: number },
  what: string,
): void {
  const { words: w, world } = q.out;
  const object = entry(q, c.lo[s.index]!);
  w[irWarn.at.sid] = c.lo[s.sid]!;
  w[irWarn.at.what] = world.strings.intern(what);
  w[irWarn.at.found] = c.lo[s.found]!;
  w[irWarn.at.expected] = c.lo[s.expected]!;
  q.emit(irWarn, object);
}

const arrow = '(addr {address:x}, data {data:x}) -> (addr {toAddress:x}, data {toData:x})';

export const remapRules: readonly QemuRule[] = [
  rule('vtd_ir_enable', 'enable {enable:u}', (q, c, s, w) => {
    const enable = c.lo[s.enable]!;
    const object = vtd(q);
    w[irEnable.at.enable] = enable;
    q.emit(irEnable, object);
  }),
  rule('vtd_reg_ir_root', 'addr {addr:x} size {size:x}', (q, c, s, w) => {
    const object = vtd(q);
    put64(w, irTable.at.address, c, s.addr);
    w[irTable.at.entries] = c.lo[s.size]!;
    q.emit(irTable, object);
  }),
  rule('vtd_reg_write', 'addr {addr:x} size {size:x} value {value:x}', (q, c, s, w) => {
    if (c.lo[s.addr] !== IRTA) return false;
    const eim = irtaRegister.f.eime.of(c.lo[s.value]!);
    const object = vtd(q);
    w[irMode.at.eim] = eim;
    q.emit(irMode, object);
  }),
  rule('vtd_ir_remap_msi_req', 'addr {address:x} data {data:x}', (q, c, s) => {
    const index = q.vtdIndex(c.lo[s.address]!, c.hi[s.address]!, c.lo[s.data]!);
    const object = index < 0 ? vtd(q) : entry(q, index);
    q.thread.irte = object;
    request(q, c, s.address, s.data, object, -1);
  }),
  rule('vtd_ir_irte_get', 'index {index:u} low {low:x} high {high:x}', (q, c, s, w) => {
    const object = entry(q, c.lo[s.index]!);
    q.thread.irte = object;
    // The emulator swaps the labels: "high" is bits 63:0, "low" is bits 127:64.
    put64(w, irteRead.at.value, c, s.high);
    put64(w, irteRead.at.value + 2, c, s.low);
    q.emit(irteRead, object);
  }),
  rule(
    'vtd_ir_remap',
    'index {index:u} trigger {trigger:u} vector {vector:u} deliver {deliver:u} dest {dest:x} mode {mode:u}',
    (q, c, s, w) => {
      const object = entry(q, c.lo[s.index]!);
      const { bit } = irRemap;
      w[0] = bit.destMode | bit.deliveryMode | bit.trigger;
      w[irRemap.at.vector] = c.lo[s.vector]!;
      w[irRemap.at.dest] = c.lo[s.dest]!;
      w[irRemap.at.destMode] = c.lo[s.mode]!;
      w[irRemap.at.deliveryMode] = c.lo[s.deliver]!;
      w[irRemap.at.trigger] = c.lo[s.trigger]!;
      q.emit(irRemap, object);
    },
  ),
  rule('vtd_ir_remap_type', '{type:r}', () => false),
  rule('vtd_ir_remap_msi', arrow, (q, c, s) => {
    const object = q.thread.irte >= 0 ? q.thread.irte : vtd(q);
    q.thread.irte = -1;
    remapped(q, c, s, object);
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
  rule('vtd_dmar_fault', 'sid {sid:x} fault {fault:u} addr {addr:x} write {write:u}', (q, c, s, w) => {
    const reason = c.lo[s.fault]!;
    // Reasons from 0x20 on are interrupt faults; the address is what the record holds in bits 63:0.
    if (reason < 0x20 || reason > 0x2f) return false;
    const index = vtdFaultRecord.f.index.of(c.hi[s.addr]!);
    const sid = c.lo[s.sid]!;
    const object = reason === 0x25 ? vtd(q) : entry(q, index);
    w[0] = irFault.bit.reason | irFault.bit.sid | irFault.bit.index;
    w[irFault.at.reason] = reason;
    w[irFault.at.sid] = sid;
    w[irFault.at.index] = index;
    q.emit(irFault, object);
  }),
  rule('vtd_frr_new', '{rest:r}', () => false),
  rule('vtd_irq_generate', 'addr {addr:x} data {data:x}', () => false),
  rule('amdvi_ir_remap_msi_req', 'addr {address:x} data {data:x} devid {devid:x}', (q, c, s) => {
    const devid = c.lo[s.devid]!;
    q.thread.amdDevice = devid;
    q.thread.irte = amdEntry(q, devid, amdData.f.index.of(c.lo[s.data]!));
    request(q, c, s.address, s.data, q.thread.irte, devid);
  }),
  rule('amdvi_ir_irte', '{base:w} {address:x} offset {offset:x}', () => false),
  rule('amdvi_ir_irte_val', 'data {data:x}', (q, c, s, w) => {
    if (q.thread.irte < 0) return false;
    w[0] = 0;
    w[amdRead.at.low] = c.lo[s.data]!;
    w[amdRead.at.low + 1] = 0;
    q.emit(amdRead, q.thread.irte);
  }),
  rule('amdvi_ir_irte_ga_val', 'hi {hi:x} lo {lo:x}', (q, c, s, w) => {
    if (q.thread.irte < 0) return false;
    w[0] = amdRead.bit.high;
    put64(w, amdRead.at.low, c, s.lo);
    put64(w, amdRead.at.high, c, s.hi);
    q.emit(amdRead, q.thread.irte);
  }),
  rule('amdvi_ir_remap_msi', arrow, (q, c, s) => {
    const object = q.thread.irte >= 0 ? q.thread.irte : amdUnit(q, Math.max(0, q.thread.amdDevice));
    q.thread.irte = -1;
    remapped(q, c, s, object);
  }),
  rule('amdvi_ir_err', '{text:r}', (q, _c, s) => fault(q, amdUnit(q, Math.max(0, q.thread.amdDevice)), q.text(s.text))),
  rule('amdvi_ir_target_abort', '{text:r}', (q, _c, s) =>
    fault(q, amdUnit(q, Math.max(0, q.thread.amdDevice)), q.text(s.text)),
  ),
  rule('amdvi_ir_delivery_mode', '{text:r}', () => false),
  rule('amdvi_ir_intctl', '{text:r}', () => false),
  rule('amdvi_mem_ir_write_req', '{text:r}', () => false),
  rule('amdvi_mem_ir_write', '{text:r}', () => false),
  rule('amdvi_intr_inval', 'Interrupt table invalidated', (q) => {
    // The line does not say whose table: all units lose what they cached.
    const units = [...(q.out.world.find('irte')?.children.values() ?? [])].filter((n) =>
      n.segment.startsWith('amdvi-'),
    );
    for (const node of units) q.emit(amdInvalidate, node.object);
    return units.length > 0 ? undefined : false;
  }),
];
