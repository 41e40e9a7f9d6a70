/** trace.dat version 6: one part behind the other; the data of the CPUs are the end (trace-cmd.dat.v6.5 of trace-cmd). */
import { textOf } from '../../base/bytes.ts';
import { type Contents, type CpuData, OPTION, optionCursor } from './contents.ts';
import { type Bytes, Cursor, Piece, Trouble } from './file.ts';
import { checkCpus, readCpuData, readEventFormats, readFtraceFormats, readHeaderInfo, sized } from './parts.ts';

/** Bytes of the words `options`, `latency` and `flyrecord`, each filled up with blanks and a NUL. */
const WORD = 10;

/** Reads what stands behind the first bytes of a file. What is missing or wrong goes into the problems; what was read before is kept. */
export function readV6(bytes: Bytes, from: number, contents: Contents): void {
  const c = new Cursor(bytes, contents.head.big, from);
  try {
    readHeaderInfo(c, contents);
    readFtraceFormats(c, contents);
    readEventFormats(c, contents);
    const symbols = sized(c, 4, 'the symbols');
    contents.kallsyms = () => symbols;
    contents.printk = sized(c, 4, 'the texts of the kernel');
    contents.cmdlines = sized(c, 8, 'the names of processes');
    readRest(bytes, c, contents);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    contents.wrong(error.message);
  }
}

function readRest(bytes: Bytes, c: Cursor, contents: Contents): void {
  let cpus = checkCpus(c.number(4, 'the number of CPUs'), c.place);
  let place = c.place;
  let word = wordOf(c);
  if (word === 'options') {
    readOptions(c, contents);
    for (const { id, data } of contents.options)
      if (id === OPTION.cpuCount && data.size >= 4)
        cpus = checkCpus(new Cursor(data, contents.head.big).number(4, 'the number of CPUs'), 'in an option');
    place = c.place;
    word = wordOf(c);
  }
  readBuffer(c, contents, '', cpus, word, place);
  if (contents.latency !== undefined) return;
  readClock(c, contents);
  for (const option of contents.options.filter(({ id }) => id === OPTION.buffer)) {
    const about = optionCursor(option, contents.head.big);
    const at = about.number(8, 'the place of an instance');
    const name = about.text('the name of an instance');
    if (at > bytes.size) throw new Trouble(`ends at byte ${bytes.size}, before the data of an instance at byte ${at}`);
    const there = new Cursor(bytes, contents.head.big, at);
    readBuffer(there, contents, name, cpus, wordOf(there), `at byte ${at}`);
  }
}

const wordOf = (c: Cursor): string => textOf(c.bytes(WORD, 'the kind of the data')).replace(/[ \0]*$/, '');

/** Options, each a number, a size and data; number 0 ends them. */
function readOptions(c: Cursor, contents: Contents): void {
  for (;;) {
    const id = c.number(2, 'the options');
    if (id === OPTION.done) return;
    const { place } = c;
    contents.addOption({ id, data: new Piece(sized(c, 4, 'the options')), place });
  }
}

function readBuffer(c: Cursor, contents: Contents, name: string, count: number, word: string, place: string): void {
  if (word === 'latency') {
    contents.texts++;
    // It goes on to the end of the file.
    if (name === '') contents.latency = { at: c.at, text: c.bytes(c.left, 'the text of a latency tracer') };
  } else if (word !== 'flyrecord') throw new Trouble(`has no data ${place}, but '${word.replace(/[^ -~]/g, '?')}'`);
  else {
    const cpus: CpuData[] = [];
    for (let cpu = 0; cpu < count; cpu++) cpus.push(readCpuData(c, cpu));
    contents.addBuffer({ name, clock: '', pageSize: contents.head.pageSize, packed: false, cpus });
  }
}

/** Behind the table of the CPUs stands the clock; programs before 2.0 of trace-cmd wrote an option without data for it. */
function readClock(c: Cursor, contents: Contents): void {
  if (!contents.options.some(({ id }) => id === OPTION.traceClock)) return;
  const { place } = c;
  contents.addOption({ id: OPTION.traceClock, data: new Piece(sized(c, 8, 'the clock')), place });
}
