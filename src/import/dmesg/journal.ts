/** Entries of a journal: objects of JSON, one a line (journalctl -o json, json-sse, json-seq), and fields on lines of their own (-o export, verbose, json-pretty; dmesg --json). */
import type { Head } from './head.ts';

/** What an entry of the kernel says. */
export interface Entry {
  readonly head: Head;
  readonly message: string;
}

const JSON_LINE = /^(?:data: )?\{.*"MESSAGE"\s*:/;
const STAMP = /^\s*"?(_SOURCE_MONOTONIC_TIMESTAMP|__MONOTONIC_TIMESTAMP|__REALTIME_TIMESTAMP)"?\s?[=:]\s?"?(\d{1,17})/;
/** `dmesg --json`. */
const TIME = /^\s*"time"\s*:\s*(\d{1,10})\.(\d{1,9})/;
/** The head of an entry of `-o verbose`. */
const VERBOSE = /^(?:[A-Z][a-z]{2} )?(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? \S+ \[s=/;
const FIELD = /^\s*(?:MESSAGE=|"MESSAGE"\s*:\s*|"msg"\s*:\s*)(.*)$/;
/** Other fields, and what stands around entries. */
const OTHER = /^\s*(?:_{0,2}[A-Z][A-Z0-9_]{2,60}=|"_{0,2}[A-Z][A-Z0-9_]{2,60}"\s?:|"(?:pri|fac|caller|dmesg)"\s*:)/;

const micros = (clock: Head['clock'], text: string): Head => {
  const micro = Number(text);
  return { at: 0, clock: clock!, seconds: Math.floor(micro / 1e6), nano: (micro % 1e6) * 1000, digits: 6 };
};

/** Says what a stamp of a journal counts from; the stamp of the kernel itself is the nearest. */
function stampOf(field: string, value: string, before: Head): Head {
  if (field === '__REALTIME_TIMESTAMP')
    return before.clock === 'boot' && before.since === undefined ? before : micros('wall', value);
  return micros('boot', value);
}

/** The stamp of the entry at hand after a line with a field; undefined when the line is no such field. */
export function fieldOf(text: string, before: Head): Head | undefined {
  const stamp = STAMP.exec(text);
  // An entry begins with the time of day: what was told before is of the entry before.
  if (stamp !== null) return stampOf(stamp[1]!, stamp[2]!, stamp[1] === '__REALTIME_TIMESTAMP' ? NONE : before);
  const time = TIME.exec(text);
  if (time !== null)
    return {
      at: 0,
      clock: 'boot',
      seconds: Number(time[1]),
      nano: Number(time[2]!.padEnd(9, '0')),
      digits: time[2]!.length,
    };
  const verbose = VERBOSE.exec(text);
  if (verbose !== null) {
    const [y, mo, d, h, mi, s] = verbose.slice(1, 7).map(Number) as [number, number, number, number, number, number];
    const fraction = verbose[7] ?? '';
    return {
      at: 0,
      clock: 'wall',
      seconds: Date.UTC(y, mo - 1, d, h, mi, s) / 1000,
      nano: Number(fraction.padEnd(9, '0')),
      digits: fraction.length,
    };
  }
  return OTHER.test(text) && !FIELD.test(text) ? before : undefined;
}

const NONE: Head = { at: 0 };

/** The message of a line that is an entry of JSON, or its field MESSAGE. `whole`: the text of the line to its end. */
export function journalLine(text: string, entry: Head, whole: () => string): Entry | undefined {
  if (JSON_LINE.test(text)) return ofJson(whole().replace(/^data: /, ''));
  const field = FIELD.exec(text);
  if (field === null) return undefined;
  const value = field[1]!.trim();
  if (!value.startsWith('"')) return { head: entry, message: value };
  const end = value.endsWith(',') ? value.length - 1 : value.length;
  const message = parsed(value.slice(0, end));
  return typeof message === 'string' ? { head: entry, message } : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function ofJson(text: string): Entry | undefined {
  const object = parsed(text);
  if (typeof object !== 'object' || object === null) return undefined;
  const fields = object as Readonly<Record<string, unknown>>;
  const { MESSAGE: message, _TRANSPORT: transport, SYSLOG_IDENTIFIER: program } = fields;
  if (typeof message !== 'string' || ((transport ?? 'kernel') !== 'kernel' && program !== 'kernel')) return undefined;
  for (const name of ['_SOURCE_MONOTONIC_TIMESTAMP', '__MONOTONIC_TIMESTAMP', '__REALTIME_TIMESTAMP']) {
    const value = fields[name];
    if (typeof value === 'string' && /^\d{1,17}$/.test(value)) return { head: stampOf(name, value, NONE), message };
  }
  return { head: NONE, message };
}
