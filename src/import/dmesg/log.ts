/** What the lines of a kernel log have in common: the objects that they name, and what earlier lines told of names. */
import { requesterId } from '../../model/bdf.ts';
import { kernelFact, message } from '../../model/events/notes.ts';
import type { RuleContext } from '../rules.ts';

/** A PCI function in a text: segment, bus, device, function; with or without the segment and `0x`. */
export const BDF = String.raw`(?:(?:0x)?([\da-f]{4,8}):)?(?:0x)?([\da-f]{2}):(?:0x)?([01][\da-f])\.([0-7])`;
/** A PCI function with its segment, as drivers print the name of their device. */
const NAMED_BDF = /^[\da-f]{4,8}:[\da-f]{2}:[01][\da-f]\.[0-7]$/;

/** The function that sent a message; its PCI segment, where the line tells it. */
export interface Requester {
  readonly segment: number | undefined;
  readonly sid: number;
}

/** By what `BDF` captured. */
export const requester = (
  segment: string | undefined,
  bus: string | undefined,
  slot: string | undefined,
  fn: string | undefined,
): Requester => ({
  segment: segment === undefined ? undefined : Number.parseInt(segment, 16),
  sid: requesterId(`0000:${bus!.toLowerCase()}:${slot!.toLowerCase()}.${fn!}`),
});

/** The path of a function by what `BDF` captured. */
export const functionPath = (
  segment: string | undefined,
  bus: string | undefined,
  slot: string | undefined,
  fn: string | undefined,
): string => `device/${(segment ?? '').padStart(4, '0')}:${bus!}:${slot!}.${fn!}`.toLowerCase();

/** Names of one log are not looked up without end. */
const MOST_NAMES = 4096;

/** One kernel log while it is read: the line at hand and what lines before it told. */
export class KernelLog {
  readonly c: RuleContext;
  /** The text of the line at hand as events keep it. */
  said = '';
  /** The same without the head of the line. */
  plain = '';
  /** Lines that refuse nothing become events, too. */
  readonly facts: boolean;
  /** A VT-d unit refused an interrupt or an access; the reason follows in the next line. */
  request: { readonly from: Requester; readonly index?: number; readonly what?: string } | undefined;
  /** The irq that nobody cared for: the names of its handlers follow. */
  uncared = -1;
  /** Words of an event of an SMMU that were printed, and those that follow. */
  raw: { readonly smmu: string; readonly words: bigint[]; said: boolean } | undefined;
  /** VT-d units, by the number that the kernel gives them. */
  readonly units = new Set<number>();
  readonly #its: string[] = [];
  readonly #smmus: string[] = [];
  readonly #functions = new Map<string, string>();

  constructor(c: RuleContext, facts: boolean) {
    this.c = c;
    this.facts = facts;
  }

  /** Tells of something that was refused, lost or illegal. */
  refuse(path: string, reason: string): true {
    const { c } = this;
    c.emit(message.put().text(c.intern(this.said)).reason(c.intern(reason)), c.object(path));
    return true;
  }

  /** Tells of something that is there, or how it was set up. */
  fact(path: string, what: string): boolean {
    const { c } = this;
    if (!this.facts) return false;
    c.emit(kernelFact.put().what(c.intern(what)).text(c.intern(this.said)), c.object(path));
    return true;
  }

  /** A device has the name of a driver, such as `nvme0`, and is this function. */
  names(name: string, bdf: string): void {
    if (NAMED_BDF.test(bdf) && this.#functions.size < MOST_NAMES) this.#functions.set(name, bdf);
  }

  /** The path of a device by the name that a driver prints. */
  device(name: string): string {
    return `device/${(this.#functions.get(name) ?? name).replaceAll('/', '!')}`;
  }

  /** The path of an ITS by the address of its registers: they are counted as the kernel finds them. */
  its(address: string): string {
    return `its/${numberOf(this.#its, address.toLowerCase().replace(/^(?:0x)?0*/, ''))}`;
  }

  /** The path of the ITS that a line speaks of without its address: which of several it is, the line does not tell. */
  get someIts(): string {
    return this.#its.length > 1 ? 'log' : 'its/0';
  }

  /** The path of an SMMU by the name of its platform device: they are counted as the kernel finds them. */
  smmu(name: string): string {
    return `smmu/${numberOf(this.#smmus, name)}`;
  }
}

/** Units of one kind that a log names, at most: more are damage. */
const MOST_UNITS = 256;

/** The number of a unit among those of its kind; that of the first where there are too many. */
function numberOf(units: string[], name: string): number {
  const at = units.indexOf(name);
  if (at >= 0) return at;
  return units.length < MOST_UNITS ? units.push(name) - 1 : 0;
}

/** Makes the events of a message; false where it became none. */
type Take = (log: KernelLog, m: readonly (string | undefined)[]) => boolean;

/** One message of the kernel: what its text is like, without the head of the line, and what it means. */
export interface Say {
  readonly form: RegExp;
  readonly take: Take;
  /** Whether such a line is one at all: it continues a message of several lines. */
  readonly when?: (log: KernelLog) => boolean;
}

/** A message that refuses something. */
export const refusal = (form: RegExp, path: (m: readonly string[], log: KernelLog) => string, reason: string): Say => ({
  form,
  take: (log, m) => log.refuse(path(m as readonly string[], log), reason),
});

/** A message that says what there is. */
export const fact = (form: RegExp, path: (m: readonly string[], log: KernelLog) => string, what: string): Say => ({
  form,
  take: (log, m) => log.fact(path(m as readonly string[], log), what),
});

/** About nothing that has a path of its own. */
export const LOG = (): string => 'log';
/** The irq whose number is the first capture. */
export const IRQ = (m: readonly string[]): string => `irq/${Number(m[1])}`;
/** The processor whose number is the first capture. */
export const CPU = (m: readonly string[]): string => `cpu/${Number(m[1])}`;
/** The device whose name is the first capture. */
export const DEVICE = (m: readonly string[], log: KernelLog): string => log.device(m[1]!);
