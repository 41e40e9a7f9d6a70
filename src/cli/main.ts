#!/usr/bin/env node
// The command line: `irqscope COMMAND FILE [OPTIONS]`. See docs/cli.md. This file holds the process, its signals and its streams.
import { answer } from './answer.ts';
import { DONE, Failure, INTERRUPTED, REFUSED } from './failure.ts';
import { Output, ReaderGone } from './output.ts';
import { Progress } from './progress.ts';

async function main(): Promise<number> {
  const out = new Output(process.stdout);
  const progress = new Progress(process.stderr);
  const warn = (line: string): void => {
    progress.erase();
    process.stderr.write(`${line}\n`);
  };
  process.on('SIGINT', () => {
    progress.erase();
    process.exit(INTERRUPTED);
  });
  // The callback of the writer gets the errors of writing; this handler keeps them from ending the program a second time.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  try {
    const status = await answer(process.argv.slice(2), { out, progress, warn });
    await out.flush();
    return status;
  } catch (error) {
    if (error instanceof ReaderGone) return DONE;
    progress.erase();
    if (error instanceof Failure) {
      await out.flush().catch(() => {});
      warn(error.line);
    } else {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      warn(`irqscope: internal error, please report it: ${what}`);
    }
    return REFUSED;
  }
}

process.exit(await main());
