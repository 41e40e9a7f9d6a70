import * as v from 'valibot';
import type { WindowView } from '../view/lanes/values.ts';

/** The bytes of a view and no others. The buffer of a view may be larger, and all of it would be sent. */
export function toTransfer(view: ArrayBufferView): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = view;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}

/** Buffers of another realm (a frame, a test) are no instances of this realm's class. */
const bytes = v.custom<ArrayBuffer>(
  (value) => Object.prototype.toString.call(value) === '[object ArrayBuffer]',
  'Expected ArrayBuffer',
);

/** A window as it travels: the columns of WindowView as bytes. */
export const packedWindow = v.strictObject({
  rowMarks: bytes,
  at: bytes,
  count: bytes,
  step: bytes,
  shapes: bytes,
  hits: bytes,
  hitShapes: bytes,
  rowLayers: bytes,
  layerRuns: bytes,
  runAt: bytes,
  runValue: bytes,
  runFill: bytes,
  rowDiffs: bytes,
  diffAt: bytes,
  diffKinds: bytes,
});
export type PackedWindow = v.InferOutput<typeof packedWindow>;

export function packWindow(view: WindowView): PackedWindow {
  return {
    rowMarks: toTransfer(view.rowMarks),
    at: toTransfer(view.at),
    count: toTransfer(view.count),
    step: toTransfer(view.step),
    shapes: toTransfer(view.shapes),
    hits: toTransfer(view.hits),
    hitShapes: toTransfer(view.hitShapes),
    rowLayers: toTransfer(view.rowLayers),
    layerRuns: toTransfer(view.layerRuns),
    runAt: toTransfer(view.runAt),
    runValue: toTransfer(view.runValue),
    runFill: toTransfer(view.runFill),
    rowDiffs: toTransfer(view.rowDiffs),
    diffAt: toTransfer(view.diffAt),
    diffKinds: toTransfer(view.diffKinds),
  };
}

/** Whether these are the starts of runs that together are `end` long. */
function areStarts(starts: Uint32Array, end: number): boolean {
  for (let i = 0; i < starts.length; i++) if (starts[i]! < (i === 0 ? 0 : starts[i - 1]!)) return false;
  return starts.length > 0 && starts[0] === 0 && starts[starts.length - 1] === end;
}

/** The window of a message with `rows` rows; throws when its columns do not fit together. */
export function unpackWindow(packed: PackedWindow, rows: number): WindowView {
  const view: WindowView = {
    rowMarks: new Uint32Array(packed.rowMarks),
    at: new Float32Array(packed.at),
    count: new Uint32Array(packed.count),
    step: new Uint32Array(packed.step),
    shapes: new Uint16Array(packed.shapes),
    hits: new Uint32Array(packed.hits),
    hitShapes: new Uint16Array(packed.hitShapes),
    rowLayers: new Uint32Array(packed.rowLayers),
    layerRuns: new Uint32Array(packed.layerRuns),
    runAt: new Float32Array(packed.runAt),
    runValue: new Uint8Array(packed.runValue),
    runFill: new Uint8Array(packed.runFill),
    rowDiffs: new Uint32Array(packed.rowDiffs),
    diffAt: new Float32Array(packed.diffAt),
    diffKinds: new Uint8Array(packed.diffKinds),
  };
  const marks = view.at.length;
  const runs = view.runAt.length;
  const fits =
    view.rowMarks.length === rows + 1 &&
    areStarts(view.rowMarks, marks) &&
    [view.count, view.step, view.shapes].every((column) => column.length === marks) &&
    [view.hits, view.hitShapes].every((column) => column.length === 0 || column.length === marks) &&
    view.hits.length === view.hitShapes.length &&
    view.rowLayers.length === rows + 1 &&
    areStarts(view.rowLayers, view.layerRuns.length - 1) &&
    areStarts(view.layerRuns, runs) &&
    [view.runValue, view.runFill].every((column) => column.length === runs) &&
    view.rowDiffs.length === rows + 1 &&
    areStarts(view.rowDiffs, view.diffAt.length) &&
    view.diffKinds.length === view.diffAt.length;
  if (!fits) throw new Error('timeline/window: the columns do not fit together');
  return view;
}
