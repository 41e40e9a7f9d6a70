import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { type JoinPart, joinTraces } from '../import/join/join.ts';
import type { Trace } from '../trace/trace.ts';
import { misused } from './command.ts';
import { Failure } from './failure.ts';
import type { Progress } from './progress.ts';
import { readTrace } from './read.ts';

/** The options of every command that takes one FILE: what joins other sources to it. */
export const INPUT_OPTIONS = {
  with: { type: 'string', multiple: true },
  offset: { type: 'string', multiple: true },
} as const;

/** What the user gave for these options. */
export interface InputValues {
  readonly with?: readonly string[] | undefined;
  readonly offset?: readonly string[] | undefined;
}

/** Their part of a command's `--help`. */
export const INPUT_HELP = `  --with [SYSTEM=]FILE
               joins another source: one trace, one clock, one state; may be given several times
               (SYSTEM=FILE also names the system of the first)
  --offset SOURCE=SECONDS
               what is added to the times of a source (by its base name) to get those of the first one`;

/** A source as the user wrote it. */
interface Named {
  readonly file: string;
  readonly system: string | undefined;
}

const NANO = 1_000_000_000n;

/** Reads what a command is asked about: a file, joined with those of `--with`; throws Failure. */
export async function readInput(command: string, text: string, values: InputValues, progress: Progress): Promise<Trace> {
  const named = [text, ...(values.with ?? [])].map(namedFile);
  const offsets = new Map((values.offset ?? []).map((offset) => offsetOf(command, offset)));
  const known = new Set(named.flatMap(({ file }) => namesOf(file)));
  for (const name of offsets.keys())
    if (!known.has(name)) throw misused(command, `--offset ${name}: no source is called that`);
  if (offsets.size > 0 && namesOf(named[0]!.file).some((name) => offsets.has(name)))
    throw misused(command, '--offset: the clock of the first source is that of the trace; give an offset to another one');
  const parts: JoinPart[] = [];
  for (const { file, system } of named) {
    const offset = namesOf(file).map((name) => offsets.get(name)).find((found) => found !== undefined);
    parts.push({ trace: await readTrace(file, progress), system, offset });
  }
  return joinTraces(parts);
}

/** Names by which options call a source. */
const namesOf = (file: string): string[] => [...new Set([file, basename(file)])];

/** `SYSTEM=FILE`, or FILE alone; a file whose own name has that form is taken as it is. */
function namedFile(text: string): Named {
  const match = /^([A-Za-z][\w.-]*)=(.+)$/.exec(text);
  if (match === null || existsSync(text)) return { file: text, system: undefined };
  return { file: match[2]!, system: match[1]! };
}

/** `SOURCE=SECONDS` of an option. */
function offsetOf(command: string, text: string): [string, bigint] {
  const match = /^(.+)=([+-]?)(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) throw misused(command, `--offset ${text}: expected SOURCE=SECONDS, such as guest.log=-12.5`);
  const [, source, sign, whole, fraction = ''] = match;
  const size = BigInt(whole!) * NANO + BigInt(fraction.padEnd(9, '0'));
  return [source!, sign === '-' ? -size : size];
}

/** Refuses a second FILE with a hint at the option that joins. */
export const onlyOne = (command: string, files: readonly string[]): Failure =>
  files.length === 0
    ? misused(command, `${command} needs one FILE`)
    : misused(command, `${command} needs one FILE; --with FILE joins another one`);
