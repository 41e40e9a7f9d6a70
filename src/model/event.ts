import type { ObjectId } from '../base/ids.ts';
import {
  type ArgSpec,
  type Args,
  argSpecs,
  KIND,
  makeReader,
  makeWriter,
  type Reader,
  type Writer,
  type Written,
} from './event-args.ts';
import type { ObjectType } from './objects.ts';
import type { State } from './state.ts';

/** The part of an event that `apply` looks at; reused from event to event. */
export interface AppliedEvent {
  object: ObjectId;
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
export type Apply = (state: State, event: AppliedEvent) => void;

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
  /** Words that an event of this kind takes. */
  readonly size: number;
  /**
   * The arguments of the event to come, in the layout of the kind: those of `written`. Code that knows the kind writes
   * them with `put`; code that goes by the declaration of any kind (formats, the simulator) clears and fills them itself.
   */
  readonly words: Uint32Array;
  /** The event whose arguments stand in `words`. */
  readonly written: Written;
  /** Types of objects that such events are about. For an object of another type, the event has no effect on the state. */
  readonly on: readonly ObjectType[];
  readonly apply: Apply | undefined;
}

/** A kind whose arguments are known to the compiler. */
export interface TypedKind<A extends Args> extends EventKind {
  readonly at: { readonly [K in keyof A]: number };
  /** The declaration of the arguments, for types only; it is never there. */
  readonly declared?: A;
  /**
   * Begins the arguments of an event: all optional ones are absent. Each setter returns the writer; an event can be
   * emitted once every argument that is not optional was set. There is one writer for each kind: write and emit an event
   * before the next one of its kind begins.
   */
  put(): Writer<A>;
  /** The arguments of an event, which start at `words[at]`. There is one reader for each kind, valid until the next `read`. */
  read(words: Uint32Array, at: number): Reader<A>;
}

/**
 * Makes an event kind. `on`: the types of objects that such events are about; `apply` sees no others. `apply` is given
 * the event and its arguments by name.
 */
export function eventKind<const A extends Args>(
  name: string,
  role: Role,
  on: readonly ObjectType[],
  meaning: string,
  args: A,
  apply?: (state: State, event: AppliedEvent, args: Reader<A>) => void,
): TypedKind<A> {
  const specs = argSpecs(args);
  const size = specs.reduce((_, spec) => spec.at + spec.words, 0);
  const at = Object.fromEntries(specs.map((s) => [s.name, s.at])) as { readonly [K in keyof A]: number };
  const words = new Uint32Array(size);
  const { bind, reader } = makeReader<A>(specs);
  const bound: Apply | undefined =
    apply &&
    ((state, event) => {
      bind(event.words, event.at);
      apply(state, event, reader);
    });
  const { put, written, of } = makeWriter<A>(specs, words);
  const kind: TypedKind<A> = {
    name,
    number: -1,
    role,
    meaning,
    args: specs,
    at,
    size,
    words,
    written,
    on,
    apply: bound,
    put,
    read: (from, start) => {
      bind(from, start);
      return reader;
    },
  };
  of(kind);
  return kind;
}

/** The kind of an event that was written. */
export function kindOf(event: Written): EventKind {
  return event[KIND] as EventKind;
}

/** Whether a return value says that something was refused: it is there and not 0. */
export function refused(ret: number | undefined): boolean {
  return ret !== undefined && ret !== 0;
}
