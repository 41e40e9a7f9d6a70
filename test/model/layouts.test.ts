// Bit layouts are written once, in src/model/registers/. This test looks for masks, shifts and bit ranges elsewhere.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allRegisters } from '../../src/model/registers/index.ts';

const src = join(import.meta.dirname, '../../src');

/**
 * What is not searched: where layouts are written and compiled, tools that know nothing of registers (`base`), the
 * packed formats of the trace itself (`trace`), and how sources are packed and encoded.
 */
const OUTSIDE = /^(base\/|trace\/|import\/packed\/|import\/utf16\.ts$|model\/registers\/|model\/(field|register)\.ts$)/;

/** Operators with a number that say nothing of a register: 32-bit arithmetic, and bits, bytes and words of a run of cells. */
const PLAIN = new Set(['>>> 0', '| 0', '>>> 1', '>>> 2', '& 3', '& ~3', '>>> 3', '>>> 5', '& 31', '& ~31']);

/** Masks and shifts that are no fields of a register, by file, with the reason. */
const EXCEPTIONS: readonly { readonly files: RegExp; readonly text: readonly string[]; readonly why: string }[] = [
  {
    files: /^import\/(ftrace|objects)/,
    text: ['& 0x3ffffff', '& 0xffffff', '& 0x1ffffff', '& 0xff'],
    why: 'bounds of the numbers that may be keys of objects; a record can hold any number',
  },
  {
    files: /^import\/ftrace\/context\.ts$/,
    text: ['| 0x10', '| 0x40', '0x08 …', '0x10 …'],
    why: 'flags of a record of the trace (enum trace_flag_type), no register',
  },
  { files: /^import\/files\/(tar|zip)\.ts$/, text: ['& 0x80', '<< 8'], why: 'numbers in the headers of archives' },
  {
    files: /^import\/tracedat\/(clock|pages|symbols|unpack)\.ts$/,
    text: ['<< 16', '<< 28'],
    why: 'limits of sizes, powers of two',
  },
  {
    files: /^import\/tracedat\/expression\.ts$/,
    text: ['& 0xff'],
    why: 'a byte that a C literal names in octal digits',
  },
  { files: /^import\/tracedat\/merge\.ts$/, text: ['>> 1'], why: 'half of a number, in a heap' },
  {
    files: /^import\/tracedat\/record\.ts$/,
    text: ['? 0xffffffff', '& 0xffff', '>>> 16'],
    why: 'words of the trace file: a sign, and where the bytes of a field lie',
  },
  { files: /^kit\/(finish|options)\.ts$/, text: ['& 2'], why: 'a redirection in a shell script' },
  {
    files: /^sim\/iommu\/invalidation-queue\.ts$/,
    text: ['<< 5'],
    why: 'a planted fault: an index in a place that is none of the layout',
  },
  {
    files: /^import\/qemu\/its\.ts$/,
    text: ['<< 8', '>>> 24'],
    why: 'an address that the log prints without its low byte',
  },
  {
    files: /^import\/qemu\/(memory|virt)\.ts$/,
    text: ['& 0xfff', '& 0xff000', '& 0xff0'],
    why: 'offsets in the page of a local APIC or of a table',
  },
  { files: /^cli\/commands\/explain\.ts$/, text: ['0xfee'], why: 'an example of a message, in the help' },
  { files: /^model\/message\.ts$/, text: ['& 0xfff'], why: 'the offset in a page, whose bits no register holds' },
  {
    files: /^model\/events\/config-space\.ts$/,
    text: ['& 0xff', '0xff …'],
    why: 'bytes of config space, whatever they hold',
  },
  { files: /^model\/events\/posted\.ts$/, text: ['& 0xff'], why: 'the number of one of the 256 bits of the PIR' },
  {
    files: /^check\/device\/(f02|updates)\.ts$/,
    text: ['& 1'],
    why: 'one bit of the pending bits or of the mask bits, by number',
  },
  { files: /^import\/tracedat\/symbols\.ts$/, text: ['<< 4', '>>> 28'], why: 'digits of an address, one by one' },
  {
    files: /^import\/(beginning|names|pattern)\.ts$/,
    text: ['>> 2', '>>> 15', '<< 5', '>>> 27', '>>> 16', '| 32', '<< 4', '>>> 28'],
    why: 'hashes of bytes, letters without their case, and digits of a number, one by one',
  },
  {
    files: /^import\/dmesg\/silent\.ts$/,
    text: ['<< 15', '<< 20', '<< 5', '>> 3', '& 7', '| 32', '& 0xfffff', '& 0x7fff'],
    why: 'letters in five bits each, and a set of them as bits',
  },
  { files: /^query\/diff\/tokens\.ts$/, text: ['>>> 15', '>>> 13', '>>> 11'], why: 'a hash' },
  { files: /^model\/events\/msix\.ts$/, text: ['& 1'], why: 'one bit of the pending bit array, by number' },
  {
    files: /^sim\/vfio\//,
    text: ['& 0x38', '>>> 6', '& 7'],
    why: 'flags of the ioctl VFIO_DEVICE_SET_IRQS',
  },
];

/** The code without comments, plain strings and the texts of patterns; lines keep their numbers. */
function codeOf(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/String\.raw`[^`\n]*`/g, '``')
    .replaceAll(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
}

/** Bit ranges of all fields that are more than the first bit, as `hi, lo`. */
const RANGES = new Set(
  allRegisters
    .flatMap((register) => [register, ...(register.layouts ?? [])])
    .flatMap((layout) => layout.fields.map(({ hi, lo }) => `${hi}, ${lo}`))
    .filter((range) => range !== '0, 0'),
);

/** What of a line of code looks like the layout of a register. */
function layoutsIn(line: string): string[] {
  if (/^\s*(?:export )?const [A-Z_]+ = 1 << \d+;/.test(line)) return [];
  const found: string[] = [];
  for (const [, operator, number] of line.matchAll(/(?<![&|])([&|]|<<|>>>?) ?(~?(?:0x[0-9a-f]+|\d+))\b/g)) {
    if (!PLAIN.has(`${operator} ${number}`)) found.push(`${operator} ${number}`);
  }
  // A number on the other side, or one that is added: (0x11 | …), value |= 0x8000
  for (const [, number] of line.matchAll(/\b(0x[0-9a-f]+) (?:[&|]|<<)(?![&|])/g)) found.push(`${number} …`);
  for (const [, number] of line.matchAll(/[&|]= ~?(0x[0-9a-f]+)/g)) found.push(`= ${number}`);
  // control | (enable ? 0x8000 : 0)
  for (const [, number] of line.matchAll(/\? (0x[0-9a-f]+) : 0\b/g)) found.push(`? ${number}`);
  // bits(state, 23, 16)
  for (const [, range] of line.matchAll(/\((?:[^()]*, )?(\d+, \d+)\)/g))
    if (RANGES.has(range!)) found.push(`(${range})`);
  if (/0xfee/i.test(line)) found.push('0xfee');
  return found;
}

/** Types such as `1 | -1` are no arithmetic. */
const isType = (line: string): boolean => /(?:: |as |type \w+ = )(?:-?\d+ \| )+-?\d+/.test(line);

describe('bit layouts', () => {
  it('are written in src/model/registers/ and nowhere else', () => {
    const used = new Set<string>();
    const breaches: string[] = [];
    for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || OUTSIDE.test(file) || file === 'sim/bundled.ts') continue;
      for (const [i, line] of codeOf(readFileSync(join(src, file), 'utf8'))
        .split('\n')
        .entries()) {
        for (const found of isType(line) ? [] : layoutsIn(line)) {
          const exception = EXCEPTIONS.find(({ files, text }) => files.test(file) && text.includes(found));
          if (exception) used.add(`${exception.files} ${found}`);
          else breaches.push(`src/${file}:${i + 1}: ${found}   ${line.trim()}`);
        }
      }
    }
    assert.deepEqual(breaches, []);
    for (const { files, text } of EXCEPTIONS)
      for (const one of text) assert.ok(used.has(`${files} ${one}`), `the exception ${files} ${one} is not needed`);
  });

  it('are found in each of the forms in which they were written before', () => {
    const lines = [
      'if (known & 0x8000 && !(control & 0x8000)) return true;',
      'return (state.get(cap, msixCap.at.control) & 0x7ff) + 1;',
      'if ((state.known(cap, cell) & 0xc000) === 0xc000) return;',
      'const own = (state.known(entry, A.control) & 1) === 0 ? undefined : 1;',
      'const value = (enable ? 0x8000 : 0) | (fmask ? 0x4000 : 0);',
      'fn.configWrite(4, 2, 0x400 | (memory ? 2 : 0));',
      'state.setBits(e.object, piDescriptor.at.control, value, 0xff | mask);',
      'const vector = field(s, o, irte.at.value, 23, 16);',
      'const sid = bits(79, 64);',
      'const posted = cellField(state, object, irte.at.value, 15, 15);',
      'return eim ? raw : (raw >>> 8) & 0xff;',
      'const count = 1 << Math.min(5, (control >>> 4) & 7);',
      'return { address: 0xfee00000 + (cpu << 12), data: vector };',
      'read(MSIX_AT, 4, (0x11 | ((vectors - 1) << 16)) >>> 0);',
      'const global = ((word >>> 4) & 1) === 0;',
      'interrupt: (n) => [0xa0, (13 << 20) | (n & 0xffff)],',
      'const key = (bus << 8) | (slot << 3) | fn;',
      'value |= 0x8000;',
    ];
    for (const line of lines) assert.notDeepEqual(layoutsIn(codeOf(line)), [], line);
    const plain = [
      'const middle = (low + high) >>> 1;',
      'state.setBits(object, cell + (at >>> 2), word, mask);',
      'if (enable.in(control) && fmask.in(control)) return;',
      'const bit = (1 << (vector & 31)) >>> 0;',
      '// bits 23, 16 and 0x8000 of the entry & 0xff',
      "meaning: 'Writes to 0xfee00000 are messages & more.',",
      'const CHUNK = 1 << 16;',
    ];
    for (const line of plain) assert.deepEqual(layoutsIn(codeOf(line)), [], line);
  });
});
