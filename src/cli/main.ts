#!/usr/bin/env node
// The command line: `irqscope COMMAND FILE [OPTIONS]`. See docs/cli.md. This file holds the process, its signals and its streams.
import { shown } from '../base/visible.ts';
import { answer } from './answer.ts';
import { DONE, Failure, REFUSED, SIGNALLED, SIGNALS } from './failure.ts';
import { elsewhere, isLargeZstd } from './newer-node.ts';
import { removeHalfFiles } from './out-file.ts';
import { Output, ReaderGone } from './output.ts';
import { Progress } from './progress.ts';
import { startEarly } from './threads.ts';

/** What went wrong in the program itself, and where. */
function inOneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /\n\s+(at .+)/.exec(error.stack ?? '')?.[1];
  return `${error.name}: ${error.message}${place === undefined ? '' : ` ${place}`}`.replaceAll(/\s*\n\s*/g, ' ');
}

async function main(): Promise<number> {
  const out = new Output(process.stdout);
  const progress = new Progress(process.stderr);
  const warn = (line: string): void => {
    progress.erase();
    process.stderr.write(`${shown(line)}\n`);
  };
  process.on('exit', removeHalfFiles);
  for (const [signal, number] of SIGNALS)
    process.on(signal, () => {
      progress.erase();
      process.exit(SIGNALLED + number);
    });
  // The callback of the writer gets the errors of writing; this handler keeps them from ending the program a second time.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    const args = process.argv.slice(2);
    if (args.some((arg) => isLargeZstd(arg))) startEarly();
    const status = await answer(args, { out, progress, warn });
    await out.flush();
    return status;
  } catch (error) {
    if (error instanceof ReaderGone) return DONE;
    progress.erase();
    if (error instanceof Failure) {
      await out.flush().catch(() => {});
      warn(error.line);
    } else {
      warn(`irqscope: internal error, please report it: ${inOneLine(error)}`);
    }
    return REFUSED;
  }
}

process.exit((await elsewhere(process.argv.slice(2), process.env)) ?? (await main()));
