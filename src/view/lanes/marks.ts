/** What a timeline draws for an event: a shape that tells the sort of event. */
export interface MarkSpec {
  readonly name: string;
  readonly meaning: string;
}

/**
 * The marks, in the order of their numbers. A lower number is more important: of several events in one
 * pixel, the mark with the lowest number is the one that is drawn. Numbers live in memory and messages only.
 */
export const marks = [
  { name: 'fault', meaning: 'Refused, illegal or doubtful: a fault, a mismatch, an error.' },
  { name: 'lost', meaning: 'Events are missing: the recorder lost them or had not begun.' },
  { name: 'note', meaning: 'A text that a user or a script wrote into the trace, or a probe.' },
  { name: 'raise', meaning: 'A cause arose: in a device, on a line, at an eventfd.' },
  { name: 'send', meaning: 'A message was sent, or arrived on the bus.' },
  { name: 'deliver', meaning: 'An interrupt was accepted, injected or acknowledged.' },
  { name: 'eoi', meaning: 'End of interrupt.' },
  { name: 'move', meaning: 'An interrupt got another target.' },
  { name: 'write', meaning: 'A write: table entry, config space, message.' },
  { name: 'invalidate', meaning: 'Something cached was invalidated.' },
  { name: 'change', meaning: 'Something was set up, mapped, allocated, or taken down.' },
  { name: 'translate', meaning: 'A message or access was translated.' },
  { name: 'read', meaning: 'A read: table entry, config space, remapping or translation table.' },
  { name: 'edge', meaning: 'Begin or end of a span.' },
  { name: 'call', meaning: 'A call of another layer or its return: a hypercall, an ioctl, an exit, a trapped access.' },
] as const satisfies readonly MarkSpec[];

export type MarkName = (typeof marks)[number]['name'];

/** The number of each mark. */
export const MARK = Object.fromEntries(marks.map((mark, i) => [mark.name, i])) as Readonly<Record<MarkName, number>>;
