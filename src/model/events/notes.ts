import { eventKind } from '../event.ts';

/** A text written into the trace by its user. */
export const mark = eventKind('mark', 'note', [], 'A marker that a user or a script wrote into the trace.', {
  text: 's',
});

/** A message of the emulator or kernel between the records. */
export const message = eventKind(
  'message',
  'fault',
  [],
  'A line of text, of an emulator or a kernel, that tells of something refused, illegal or lost. `reason`: what it means, in one phrase.',
  { text: 's', reason: 's?' },
);

/** A line of the kernel log that refuses nothing. Object: what it is about. */
export const kernelFact = eventKind(
  'kernel.fact',
  'look',
  [],
  'A line of the kernel log that says what there is, or how interrupts are set up; nothing was refused.',
  { what: 's', text: 's' },
);

/** Events are missing here. */
export const lost = eventKind(
  'lost',
  'loss',
  [],
  'The recorder lost events of this CPU before this point; how many is not always known.',
  { count: 'u?' },
);

/** The buffer of a CPU begins. */
export const bufferStart = eventKind(
  'start',
  'begin',
  [],
  'The records of this CPU begin here; what it did before was not kept.',
  {},
);

/** One of several sources ends before the others: what it would tell is not told from here on. Object: `source`. */
export const sourceEnd = eventKind(
  'source.end',
  'loss',
  [],
  'The records of a source end here, while others go on: what only this source tells is not known any more.',
  { file: 's' },
);

/** A probe that the user set and whose meaning is not known. */
export const probe = eventKind('probe', 'note', [], 'A probe that the user set.', { name: 's', text: 's' });

/** An event of a kind that this version does not know, kept as it was. Object: as given. */
export const other = eventKind(
  'other',
  'note',
  [],
  'An event of a kind (or arguments of one) that this version does not know; kept as it was.',
  { name: 's', text: 's' },
);

export const noteEvents = [other, mark, message, kernelFact, lost, bufferStart, sourceEnd, probe];
