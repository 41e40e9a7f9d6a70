import { hexText } from '../../base/hex.ts';
import { smmuAbort, smmuBypass, smmuFault, smmuTrans } from '../../model/events/smmu.ts';
import type { Captures } from '../pattern.ts';
import { type Qemu, type QemuRule, rule } from './context.ts';

/** The emulator has one SMMU and does not number it. */
const stream = (q: Qemu, sid: number): number => q.object(`smmu/0/stream/${hexText(sid)}`);

/** Notes which stream the memory region of a record belongs to; lines of text name only the region. */
function streamOf(q: Qemu, c: Captures, s: { readonly mr: number; readonly sid: number }): number {
  const object = stream(q, c.lo[s.sid]!);
  q.streams.set(q.str(s.mr), object);
  return object;
}

/** Remembers an access that the SMMU refused or did not translate: the line that tells of its failure comes next. `told`: an event of the stream told it. */
export function refuse({ refused }: Qemu, lo: number, hi: number, object: number, why: string, told: boolean): void {
  refused.lo = lo;
  refused.hi = hi;
  refused.stream = object;
  refused.why = why;
  refused.told = told;
}

function bypass(
  q: Qemu,
  c: Captures,
  s: { readonly mr: number; readonly sid: number; readonly iova: number; readonly write: number },
  reason: string,
): void {
  const object = streamOf(q, c, s);
  refuse(q, c.lo[s.iova]!, c.hi[s.iova]!, object, `not translated: ${reason}`, true);
  q.emit(
    smmuBypass
      .put()
      .write(c.lo[s.write] !== 0)
      .reason(q.intern(reason))
      .iova(c.lo[s.iova]!, c.hi[s.iova]!),
    object,
  );
}

export const smmuRules: readonly QemuRule[] = [
  rule(
    'smmuv3_translate_success',
    '{mr:w} sid={sid:n} iova={iova:x} translated={out:x} perm={perm:x}« stage={stage:u}»',
    (q, c, s) => {
      q.thread.smmuRequester = c.lo[s.sid]!;
      q.thread.smmuInput = c.lo[s.iova]!;
      q.thread.smmuOutput = c.lo[s.out]!;
      q.refused.lo = -1;
      const event = smmuTrans
        .put()
        .perm(c.lo[s.perm]!)
        .iova(c.lo[s.iova]!, c.hi[s.iova]!)
        .output(c.lo[s.out]!, c.hi[s.out]!);
      if (c.got[s.stage]) event.stage(c.lo[s.stage]!);
      q.emit(event, streamOf(q, c, s));
    },
  ),
  rule(
    'smmuv3_translate_disable',
    '{mr:w} sid={sid:n} bypass (smmu disabled) iova:{iova:x} is_write={write:u}',
    (q, c, s) => bypass(q, c, s, 'SMMU disabled'),
  ),
  rule('smmuv3_translate_bypass', '{mr:w} sid={sid:n} STE bypass iova:{iova:x} is_write={write:u}', (q, c, s) =>
    bypass(q, c, s, 'stream table entry says bypass'),
  ),
  rule('smmuv3_translate_abort', '{mr:w} sid={sid:n} abort on iova:{iova:x} is_write={write:u}', (q, c, s) => {
    const object = streamOf(q, c, s);
    refuse(q, c.lo[s.iova]!, c.hi[s.iova]!, object, 'the SMMU aborted the access', true);
    q.emit(
      smmuAbort
        .put()
        .write(c.lo[s.write] !== 0)
        .iova(c.lo[s.iova]!, c.hi[s.iova]!),
      object,
    );
  }),
  rule('smmuv3_record_event', '{event:w} sid={sid:n}', (q, c, s) => {
    const { refused } = q;
    const object = stream(q, c.lo[s.sid]!);
    const name = q.str(s.event);
    const why = q.out.world.strings.text(name);
    const event = smmuFault.put().event(name).reason(name);
    // The line of text just before tells the address of the same access.
    if (refused.lo >= 0 && !refused.told && refused.why === why) {
      event.iova(refused.lo, refused.hi);
      refused.stream = object;
      refused.told = true;
    } else refuse(q, -1, 0, object, why, true);
    q.emit(event, object);
  }),
  // QEMU 11: the SMMU of the host recorded it, of a device that is translated there (smmuv3_propagate_event, hw/arm/smmuv3.c).
  rule('smmuv3_propagate_event', '{event:w} sid={sid:n}', (q, c, s) => {
    const name = q.str(s.event);
    q.emit(smmuFault.put().event(name).reason(name), stream(q, c.lo[s.sid]!));
  }),
];

/** An access that the SMMU refused and of which no record tells, only the text: where its stream is known, it becomes the event that the record would be. */
export function tellRefused(q: Qemu): void {
  const { refused } = q;
  if (refused.told || refused.stream < 0) return;
  refused.told = true;
  const name = q.intern(refused.why);
  q.emit(smmuFault.put().event(name).reason(name).iova(refused.lo, refused.hi), refused.stream);
}
