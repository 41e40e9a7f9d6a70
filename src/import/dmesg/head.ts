/**
 * What stands in front of a line of the kernel log: level, stamp and caller as the kernel prints them (kernel/printk/printk.c: print_syslog,
 * print_time, print_caller, info_print_ext_header), the forms of dmesg (util-linux, --time-format), and those of journald and syslog.
 */

/** What the stamps of a log count from. */
export type Clock = 'boot' | 'wall' | 'year' | 'first';

/** The head of a line. */
export interface Head {
  /** Where the text begins. */
  readonly at: number;
  /** Whole seconds and nanoseconds; undefined where the line has no stamp. */
  readonly seconds?: number;
  readonly nano?: number;
  /** Digits behind the point that the stamp has. */
  readonly digits?: number;
  readonly clock?: Clock;
  /** Seconds since the line before, where only that is printed. */
  readonly since?: number;
  /** The processor that printed it, of a caller `C3`. */
  readonly cpu?: number;
  /** The thread that printed it, of a caller `T77`. */
  readonly thread?: number;
  /** Number of the record in the kernel's buffer (/dev/kmsg). */
  readonly sequence?: number;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = MONTHS.join('|');
const DAY = 'Mon|Tue|Wed|Thu|Fri|Sat|Sun';
/** `host kernel: `, also with the number that systemd puts behind the name. */
const KERNEL = String.raw`\S+ kernel(?:\[\d+\])?: `;

/** Level of a line: `<6>`, or in words as `dmesg -x` prints it. */
const LEVEL =
  /^(?:<\d{1,3}>|(?:kern|user|daemon|syslog|auth|mail|lpr|news|uucp|cron|authpriv|ftp|local\d) *:[a-z]+ *: )/;
/** `[   12.345678]`, of short-monotonic with the name of the host behind; `-d` of dmesg adds the time since the line before. */
const BOOT = new RegExp(String.raw`^\[ *(\d{1,10})\.(\d{3,9})(?: <[ .\d]*>?)?\](?: (?:${KERNEL}))? ?`);
const CALLER = /^\[ *([TC])(\d{1,9})\] ?/;
/** Where no stamp stands in front, only its width of six columns or more tells it from a mark in prose. */
const CALLER_ALONE = /^\[(?=[ TC\d]{6})/;
const CTIME = new RegExp(String.raw`^\[(?:${DAY}) (${MONTH}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})\] ?`);
const ISO_FORM = String.raw`(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?(Z|[A-Z]{2,5}|[+-]\d\d:?\d\d))?`;
/** `--time-format iso`: a comma before the digits, and the text behind the zone; of journald with the host. */
const ISO = new RegExp(`^(?:(?:${DAY}) )?${ISO_FORM} (${KERNEL})?`);
const DMESG_ISO = /,\d{6}[+-]\d\d:\d\d $/;
const SYSLOG = new RegExp(
  String.raw`^(?:<\d{1,3}>)?(${MONTH}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? ${KERNEL}`,
);
const UNIX = new RegExp(String.raw`^(\d{9,10})\.(\d{6}) ${KERNEL}`);
/** The first line of a minute, and the others, of `dmesg -e`. */
const MINUTE = new RegExp(String.raw`^\[(${MONTH}) ?(\d\d?) (\d\d):(\d\d)\] ?`);
const SINCE = /^\[(?: *\+ *|< *)(\d{1,9})\.(\d{1,9})>?\] ?/;
/** `6,123,4567,-,caller=T1;`, of netconsole perhaps with the version of the kernel in front. */
const KMSG = /^(?:\d+\.\d+[^,\s]{0,60},)?(\d{1,3}),(\d{1,15}),(\d{1,16}),[-c+](?:,([^;]{1,100}))?;/;

const NONE: Head = { at: 0 };
const nanos = (digits: string): number => Number(digits.padEnd(9, '0'));

/** Seconds since 1970 of a date; the zone in hours and minutes, none is taken as UTC. */
function epoch(year: number, month: number, day: number, clock: readonly string[], zone = ''): number {
  const [h, m, s] = clock.map(Number) as [number, number, number];
  const z = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  const east = z === null ? 0 : (z[1] === '-' ? -60 : 60) * (Number(z[2]) * 60 + Number(z[3]));
  return Date.UTC(year, month, day, h, m, s) / 1000 - east;
}

/** A year that has a 29 February, for stamps without a year: they count from its beginning. */
const SOME_YEAR = 1972;
const START_OF_YEAR = Date.UTC(SOME_YEAR, 0, 1) / 1000;
const inYear = (month: string, day: string, clock: readonly string[]): number =>
  epoch(SOME_YEAR, MONTHS.indexOf(month), Number(day), clock) - START_OF_YEAR;

/** The stamp at the beginning of a text. */
function stampOf(text: string): Head {
  const first = text.charCodeAt(0);
  if (first === BRACKET) return bracketed(text);
  if (first === ANGLE || (first >= CAPITAL_A && first <= CAPITAL_Z)) {
    const m = SYSLOG.exec(text);
    if (m !== null) return dated(m[0].length, 'year', inYear(m[1]!, m[2]!, m.slice(3, 6)), m[6]);
  }
  if (first === ANGLE) return NONE;
  const iso = ISO.exec(text);
  // Other programs stamp their lines like that, too.
  if (iso !== null && (iso[9] !== undefined || DMESG_ISO.test(iso[0]))) {
    const [all, year, month, day, ...clock] = iso;
    return dated(
      all.length,
      'wall',
      epoch(Number(year), Number(month) - 1, Number(day), clock.slice(0, 3) as string[], iso[8]),
      iso[7],
    );
  }
  const unix = UNIX.exec(text);
  if (unix !== null) return dated(unix[0].length, 'wall', Number(unix[1]), unix[2]);
  const kmsg = KMSG.exec(text);
  if (kmsg === null) return NONE;
  const micro = Number(kmsg[3]);
  const caller = /(?:^|,)caller=([TC])(\d{1,9})/.exec(kmsg[4] ?? '');
  return {
    at: kmsg[0].length,
    clock: 'boot',
    seconds: Math.floor(micro / 1e6),
    nano: (micro % 1e6) * 1000,
    digits: 6,
    sequence: Number(kmsg[2]),
    ...callerOf(caller),
  };
}

const [BRACKET, ANGLE, CAPITAL_A, CAPITAL_Z] = [91, 60, 65, 90];

const dated = (at: number, clock: Clock, seconds: number, fraction: string | undefined): Head => ({
  at,
  clock,
  seconds,
  nano: nanos(fraction ?? ''),
  digits: fraction?.length ?? 0,
});

/** A stamp in brackets. */
function bracketed(text: string): Head {
  const boot = BOOT.exec(text);
  if (boot !== null) return dated(boot[0].length, 'boot', Number(boot[1]), boot[2]);
  const ctime = CTIME.exec(text);
  if (ctime !== null) {
    const [all, month, day, h, m, s, year] = ctime as unknown as string[];
    return dated(
      all!.length,
      'wall',
      epoch(Number(year), MONTHS.indexOf(month!), Number(day), [h!, m!, s!]),
      undefined,
    );
  }
  const minute = MINUTE.exec(text);
  if (minute !== null) {
    const [all, month, day, h, m] = minute as unknown as string[];
    return { ...dated(all!.length, 'first', inYear(month!, day!, [h!, m!, '0']), undefined), digits: 6 };
  }
  const since = SINCE.exec(text);
  if (since === null) return NONE;
  const digits = Math.min(9, since[2]!.length);
  return { at: since[0].length, clock: 'first', since: Number(`${since[1]}.${since[2]}`), digits };
}

function callerOf(m: RegExpExecArray | null): Pick<Head, 'cpu' | 'thread'> {
  if (m === null) return {};
  return m[1] === 'C' ? { cpu: Number(m[2]) } : { thread: Number(m[2]) };
}

/** The head of a line. The stamp of the kernel is nearer to what happened than that of the logger in front of it: it counts. */
export function headOf(text: string): Head {
  let at = LEVEL.exec(text)?.[0].length ?? 0;
  let head = stampOf(at === 0 ? text : text.slice(at));
  // A syslog line has its level in front of its stamp.
  if (head.clock === undefined && at > 0 && text.charCodeAt(0) === ANGLE) {
    const whole = stampOf(text);
    if (whole.clock !== undefined) [head, at] = [whole, 0];
  }
  at += head.at;
  if (head.clock !== undefined && head.clock !== 'boot') {
    const inner = BOOT.exec(text.slice(at));
    if (inner !== null) {
      head = dated(0, 'boot', Number(inner[1]), inner[2]);
      at += inner[0].length;
    }
  }
  const stands = head.clock !== undefined || at > 0 || CALLER_ALONE.test(text);
  const caller = stands ? CALLER.exec(text.slice(at)) : null;
  return { ...head, ...callerOf(caller), at: at + (caller?.[0].length ?? 0) };
}

/** Whether a line has a level, a stamp or the name of the logger in front, as a kernel log has and prose has not. */
export const hasHead = (head: Head): boolean => head.at > 0;
