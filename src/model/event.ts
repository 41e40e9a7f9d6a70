import type { ObjectType } from './objects.ts';
import type { State } from './state.ts';

/**
 * Types of event arguments. `u` number; `i` signed number; `x` hexadecimal, 32 bits; `xx` hexadecimal, 64 bits;
 * `xxxx` hexadecimal, 128 bits; `flag`; `s` text; `o` an object, shown as its path.
 */
export type ArgType = 'u' | 'i' | 'x' | 'xx' | 'xxxx' | 'flag' | 's' | 'o';

const WORDS: Readonly<Record<ArgType, number>> = { u: 1, i: 1, x: 1, xx: 2, xxxx: 4, flag: 1, s: 1, o: 1 };

/** One argument of an event kind. */
export interface ArgSpec {
  readonly name: string;
  readonly type: ArgType;
  /** Whether events may lack it: the source does not always tell. */
  readonly optional: boolean;
  /** First word, counted from the start of the event's run of words. */
  readonly at: number;
  /** Words: 1, 2 or 4, lowest first. */
  readonly words: number;
  /** Its bit in word 0 of kinds that have optional arguments; 0 for the others. */
  readonly bit: number;
}

/** The part of an event that `apply` looks at; reused from event to event. */
export interface EventView {
  object: number;
  /** CPU that the record names, or -1. */
  cpu: number;
  /** The words of the arguments start at index `at`. */
  words: Uint32Array;
  at: number;
}

/** The part that the events of a kind play in the life of an interrupt; every kind has one role. */
export const ROLES = {
  raise: 'A cause arose: in a device, on a line, at an eventfd.',
  message: 'A message was sent, or arrived on the bus.',
  translate: 'A message or an access was translated: tables were looked up, nothing was written by software.',
  deliver: 'An interrupt was accepted, injected or acknowledged.',
  handle: 'A handler, or the run of a virtual CPU, began or ended.',
  eoi: 'End of interrupt.',
  mask: 'Something was masked or unmasked as a whole operation of the kernel or of VFIO.',
  configure: 'Something was set up, mapped, bound, switched on or taken down.',
  allocate: 'A vector, an entry or a message was reserved, allocated or freed.',
  move: 'An interrupt got another target.',
  store: 'Software or a device wrote bytes: a table entry, config space, a message.',
  invalidate: 'Something cached was invalidated.',
  look: 'Something was read, or the record only shows that it exists: nothing was written.',
  call: 'One layer called another, or returned: a hypercall, an ioctl, an exit, a trapped access.',
  fault: 'Something was refused, dropped, illegal or doubtful, or the trace cannot tell it.',
  loss: 'The recorder lost events.',
  begin: 'The records of a CPU begin here.',
  note: 'A text or a probe in the trace; it tells nothing of the interrupt system.',
} as const;

/** The role of an event kind. */
export type Role = keyof typeof ROLES;

/** What an event does to the state. Must accept any arguments without throwing. */
export type Apply = (state: State, event: EventView) => void;

/** A kind of event: one fact about the interrupt system, with its arguments and its effect. */
export interface EventKind {
  readonly name: string;
  /** Its place in the vocabulary, in memory only; -1 for a kind that is not part of it. */
  number: number;
  /** The part that its events play in the life of an interrupt. */
  readonly role: Role;
  /** What such an event says. */
  readonly meaning: string;
  readonly args: readonly ArgSpec[];
  /** First word of each argument. */
  readonly at: Readonly<Record<string, number>>;
  /** Bit of each argument in word 0; 0 for arguments that are always there. */
  readonly bit: Readonly<Record<string, number>>;
  /** Words that an event of this kind takes. */
  readonly size: number;
  /** Types of objects that such events are about. For an object of another type, the event has no effect on the state. */
  readonly on: readonly ObjectType[];
  readonly apply?: Apply;
}

type Typed<A> = EventKind & {
  readonly at: { readonly [K in keyof A]: number };
  readonly bit: { readonly [K in keyof A]: number };
};

/** An argument type, or with '?' one that events may lack. */
export type ArgInput = ArgType | `${ArgType}?`;

/**
 * Makes an event kind; `at` and `bit` are typed by the names of its arguments. `on`: the types of objects that such
 * events are about; `apply` sees no others.
 */
export function eventKind<const A extends Readonly<Record<string, ArgInput>>>(
  name: string,
  role: Role,
  on: readonly ObjectType[],
  meaning: string,
  args: A,
  apply?: (
    state: State,
    event: EventView,
    at: { readonly [K in keyof A]: number },
    bit: { readonly [K in keyof A]: number },
  ) => void,
): Typed<A> {
  const inputs = Object.entries(args) as [string, ArgInput][];
  const anyOptional = inputs.some(([, type]) => type.endsWith('?'));
  let next = anyOptional ? 1 : 0;
  let nextBit = 1;
  const specs = inputs.map(([arg, input]): ArgSpec => {
    const type = input.replace('?', '') as ArgType;
    const optional = input.endsWith('?');
    const spec = { name: arg, type, optional, at: next, words: WORDS[type], bit: optional ? nextBit : 0 };
    next += spec.words;
    if (optional) nextBit <<= 1;
    return spec;
  });
  const at = Object.fromEntries(specs.map((s) => [s.name, s.at])) as { readonly [K in keyof A]: number };
  const bit = Object.fromEntries(specs.map((s) => [s.name, s.bit])) as { readonly [K in keyof A]: number };
  const bound: Apply | undefined = apply && ((state, event) => apply(state, event, at, bit));
  return { name, number: -1, role, meaning, args: specs, at, bit, size: next, on, ...(bound ? { apply: bound } : {}) };
}

/** Whether an event has an optional argument, given its bit. */
export function has(event: EventView, bit: number): boolean {
  return (event.words[event.at]! & bit) !== 0;
}
