/**
 * What is promised of whole programs, side by side: a trace.dat beside libkshark, `trace-cmd report` and its own text; texts beside their floors;
 * memory beside the bytes of the unpacked file; a joined trace beside its parts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, openSync, readSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { type ImportFigures, inProcess } from './measure.ts';
import { type Run, runInTurn } from './process.ts';
import { megabytes, milliseconds, printTable, times } from './table.ts';

const root = resolve(import.meta.dirname, '../..');
const CLI = join(root, 'dist', 'cli.js');
const DAT = bytesOf('\x17\x08Dtracing');
/** The Node that users have: the one of the PATH, where that is not the one of this checkout. */
const NODE = process.env['IRQSCOPE_BENCH_NODE'] ?? process.execPath;

function isDat(file: string): boolean {
  const head = new Uint8Array(DAT.length);
  return readSync(openSync(file, 'r'), head) === head.length && Buffer.from(head).equals(DAT);
}

const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** The program that loads with libkshark; a sentence where it cannot be made. */
function kshark(folder: string): { readonly program: string } | { readonly lacks: string } {
  const flags = spawnSync('pkg-config', ['--cflags', '--libs', 'libkshark'], { encoding: 'utf8' });
  const program = join(folder, 'kshark-load');
  const places = flags.status === 0 ? flags.stdout.trim().split(/\s+/) : ['-I/usr/include/kernelshark', '-lkshark'];
  const source = join(import.meta.dirname, 'kshark-load.c');
  const made = spawnSync('cc', ['-O2', '-o', program, source, '-I/usr/include/kernelshark', ...places], {
    encoding: 'utf8',
  });
  return made.status === 0
    ? { program }
    : {
        lacks:
          'libkshark is left out: a C compiler and its header are needed (Debian: gcc libkshark-dev libjson-c-dev)',
      };
}

const ms = (value: number | undefined): string => (value === undefined ? '-' : milliseconds(value));
const mb = (value: number | undefined): string => (value === undefined ? '-' : megabytes(value));

const row = (name: string, run: Run, first: Run, unpacked: number | undefined): string[] => [
  name,
  ms(run.wall),
  times(run.wall / first.wall),
  ms(run.cpu),
  mb(run.peak),
  unpacked === undefined || run.peak === undefined ? '-' : times(run.peak / unpacked),
];
const HEAD = ['', 'wall', 'of the first', 'all processors', 'peak', 'peak / unpacked'];

/** Bytes of the records of a trace.dat, and of the parts that describe them, unpacked: those of the file that trace-cmd makes of it without a packing. */
function unpackedSize(file: string, folder: string): number | undefined {
  if (!has('trace-cmd')) return undefined;
  const plain = join(folder, 'plain.dat');
  const made = spawnSync('trace-cmd', ['convert', '--compression', 'none', '-i', file, '-o', plain], {
    encoding: 'utf8',
  });
  return made.status === 0 ? statSync(plain).size : undefined;
}

/** One trace.dat: this program, libkshark, trace-cmd, and this program with the text that trace-cmd prints. */
async function proveDat(file: string, folder: string, rounds: number): Promise<void> {
  const rows: { readonly name: string; readonly command: readonly string[]; readonly unpacked?: number | undefined }[] =
    [];
  const loader = kshark(folder);
  if ('program' in loader) rows.push({ name: 'libkshark, headers only', command: [loader.program, file] });
  else console.log(loader.lacks);
  rows.push({ name: 'irqscope info', command: [NODE, CLI, 'info', file], unpacked: unpackedSize(file, folder) });
  if (has('trace-cmd')) {
    const text = join(folder, 'report.txt');
    spawnSync('sh', ['-c', 'trace-cmd report -i "$1" > "$2" 2> /dev/null', 'sh', file, text]);
    rows.push({ name: 'trace-cmd report', command: ['trace-cmd', 'report', '-i', file] });
    rows.push({
      name: 'irqscope info, of that text',
      command: [NODE, CLI, 'info', text],
      unpacked: statSync(text).size,
    });
  } else console.log('trace-cmd report is left out: there is no trace-cmd');
  const runs = await runInTurn(
    rows.map(({ command }) => command),
    rounds,
  );
  const body = rows.map(({ name, unpacked }, i) => row(name, runs[i]!, runs[0]!, unpacked));
  printTable(`${basename(file)}, ${megabytes(statSync(file).size)}`, [HEAD, ...body]);
}

/** Texts: importing in a warm process beside the floor, and a whole run beside the size. */
async function proveTexts(files: readonly string[], rounds: number): Promise<void> {
  const head = ['file', 'size', 'floor', 'import', 'ratio', ...HEAD.slice(1).filter((name) => name !== 'of the first')];
  const body: string[][] = [];
  for (const file of files) {
    const { floor, load } = inProcess<ImportFigures>('import', file, rounds);
    const [run] = await runInTurn([[NODE, CLI, 'info', file]], rounds);
    const { size } = statSync(file);
    body.push([
      basename(file),
      megabytes(size),
      milliseconds(floor.thread),
      milliseconds(load.thread),
      times(load.thread / floor.thread),
      ...row('', run!, run!, size).slice(1).toSpliced(1, 1),
    ]);
  }
  printTable('texts', [head, ...body]);
}

/** A joined trace beside the sum of its parts: beyond what a program takes that reads nothing. */
async function proveJoin(files: readonly string[], rounds: number): Promise<void> {
  const [first, ...more] = files;
  const commands = [
    [NODE, CLI, '--version'],
    ...files.map((file) => [NODE, CLI, 'info', file]),
    [NODE, CLI, 'info', first!, ...more.flatMap((file) => ['--with', file])],
  ];
  const runs = await runInTurn(commands, rounds);
  const joined = runs.at(-1)!;
  const start = runs[0]!;
  const sum = (of: (run: Run) => number): number =>
    runs.slice(1, -1).reduce((all, run) => all + of(run) - of(start), of(start));
  const body = [
    ['start alone', ms(start.wall), ms(start.cpu)],
    ...files.map((file, i) => [basename(file), ms(runs[i + 1]!.wall), ms(runs[i + 1]!.cpu)]),
    ['sum of the parts, one start', ms(sum(({ wall }) => wall)), ms(sum(({ cpu }) => cpu ?? 0))],
    ['joined', ms(joined.wall), ms(joined.cpu)],
    [
      'joined / sum',
      times(joined.wall / sum(({ wall }) => wall)),
      joined.cpu === undefined ? '-' : times(joined.cpu / sum(({ cpu }) => cpu ?? 0)),
    ],
  ];
  printTable('joined', [['', 'wall', 'all processors'], ...body]);
}

/** Measures files: each trace.dat, the texts, and all that are to be joined. */
export async function prove(
  files: readonly string[],
  joined: readonly string[],
  folder: string,
  rounds: number,
): Promise<void> {
  if (!existsSync(CLI)) throw new Error(`there is no ${CLI}`);
  console.log(`node ${spawnSync(NODE, ['--version'], { encoding: 'utf8' }).stdout.trim()}, least of ${rounds} runs`);
  for (const file of files.filter(isDat)) await proveDat(file, folder, rounds);
  const texts = files.filter((file) => !isDat(file));
  if (texts.length > 0) await proveTexts(texts, rounds);
  if (joined.length > 1) await proveJoin(joined, rounds);
}
