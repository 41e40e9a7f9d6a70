import { type ParseArgsConfig, parseArgs } from 'node:util';
import { nearest } from '../query/nearest.ts';
import { Failure } from './failure.ts';
import type { Output } from './output.ts';
import type { Progress } from './progress.ts';

/** The streams and settings of a command. */
export interface Context {
  readonly out: Output;
  readonly progress: Progress;
  /** Writes a warning to stderr; the command goes on. */
  readonly warn: (line: string) => void;
}

/** A subcommand; catalogue.ts says in a line what it does. */
export interface Command {
  readonly name: string;
  /** What follows its name, such as `FILE PATH`. */
  readonly usage: string;
  /** The text of its `--help`, without the usage line. */
  readonly help: string;
  /** Does it; returns the exit status. */
  readonly run: (args: readonly string[], context: Context) => Promise<number>;
}

type Options = NonNullable<ParseArgsConfig['options']>;

/** Arguments in which a negative number behind an option is its value (`--at -0.5`); otherwise it would count as an option. */
function withNegatives(args: readonly string[], options: Options): string[] {
  const all: string[] = [];
  for (const arg of args) {
    const option = /^--(\w+)$/.exec(all.at(-1) ?? '')?.[1];
    if (/^-\d/.test(arg) && option !== undefined && options[option]?.type === 'string') all.push(`${all.pop()}=${arg}`);
    else all.push(arg);
  }
  return all;
}

/** Reads the arguments of a command strictly; throws Failure with the way to its help. */
export function readArguments<const O extends Options>(command: string, args: readonly string[], options: O) {
  try {
    return parseArgs({ args: withNegatives(args, options), options, allowPositionals: true, strict: true });
  } catch (error) {
    const { message } = error as Error;
    const unknown = /^Unknown option '-*([^']*)'/.exec(message)?.[1];
    if (unknown !== undefined) {
      const near = nearest(unknown, Object.keys(options), 1);
      throw misused(
        command,
        `there is no option ${unknown.length > 1 ? '--' : '-'}${unknown}${near.length > 0 ? `; did you mean --${near[0]}?` : ''}`,
      );
    }
    const valueless = /^Option '(--\w+)[^']*' argument/.exec(message)?.[1];
    if (valueless !== undefined) throw misused(command, `${valueless} needs a value`);
    throw misused(command, message.split(/\.?\n/)[0]!);
  }
}

/** The Failure for a command with wrong arguments. */
export function misused(command: string, why: string): Failure {
  return new Failure(`${why}${why.endsWith('?') ? ' See' : '; see'} irqscope ${command} --help`);
}
