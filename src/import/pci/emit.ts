// What dumps of config space say, as events; lspci prints such dumps too.

import { hexText } from '../../base/hex.ts';
import type { ObjectId } from '../../base/ids.ts';
import { snapBar, snapConfig, snapDiffers, snapFeatures } from '../../model/events/snapshot/function.ts';
import type { TraceBuilder } from '../../trace/builder.ts';
import { emitIrq } from '../snapshot/facts.ts';
import { type Claim, contradicted } from './claims.ts';
import type { ConfigSpace, Features } from './space.ts';

/** Bytes of config space of which events keep each one; what lies behind them is told by what it says. */
export const KEPT = 256;
/** Bytes that one event holds. */
const ROW = 16;

/** Emits known bytes `from` to `to` of config space, at most those that events keep. True when there was one. */
export function emitBytes(out: TraceBuilder, dev: ObjectId, space: ConfigSpace, from: number, to: number): boolean {
  const end = Math.min(to, KEPT);
  for (let at = from; at < end; at += ROW) {
    const size = Math.min(ROW, end - at);
    const words = [0, 4, 8, 12].map((n) => {
      const count = Math.min(4, size - n);
      let word = 0;
      for (let i = count - 1; i >= 0; i--) word = word * 256 + Math.max(0, space.read(at + n + i, 1));
      return word;
    });
    out.emit(snapConfig.put().offset(at).size(size).bytes(words[0]!, words[1]!, words[2]!, words[3]!), dev);
  }
  return from < end;
}

/** Emits what extended capabilities say. */
export function emitFeatures(out: TraceBuilder, dev: ObjectId, told: Features): void {
  const event = snapFeatures.put();
  if (told.ats !== undefined) event.ats(told.ats);
  if (told.pri !== undefined) event.pri(told.pri);
  if (told.pasid !== undefined) event.pasid(told.pasid);
  if (told.vfs !== undefined) event.vfs(told.vfs);
  if (told.totalVfs !== undefined) event.totalVfs(told.totalVfs);
  if (told.ims !== undefined) event.ims(told.ims);
  out.emit(event, dev);
}

/** Emits whose messages the irqs carry. */
export function emitMessages(out: TraceBuilder, bdf: string, irqs: readonly number[]): void {
  for (const irq of irqs) emitIrq(out, irq, (event) => event.device(out.world.strings.intern(bdf)));
}

/** Emits the regions that the base address registers tell; without sizes, which the registers do not hold. */
export function emitBars(out: TraceBuilder, dev: ObjectId, space: ConfigSpace): void {
  for (const { bar, lo, hi, io } of space.bars()) out.emit(snapBar.put().bar(bar).address(lo, hi).io(io), dev);
}

/** Emits what the bytes contradict of a text, and says it of the source. */
export function emitDiffers(out: TraceBuilder, dev: ObjectId, claims: readonly Claim[], space: ConfigSpace): void {
  const { strings } = out.world;
  for (const { at, size, text, line, bytes } of contradicted(claims, space)) {
    const held = `${hexText(bytes)} in ${size} bytes at ${hexText(at)}`;
    out.emit(snapDiffers.put().line(line).text(strings.intern(text)).bytes(strings.intern(held)), dev);
    out.source.problem ??= `line ${line}: the text says "${text}", and the bytes of the same dump hold ${held}`;
  }
}
