// Archives are read file by file: tar in its three forms, zip, packed or not, cut off or damaged.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import type { FileRead } from '../../../src/import/files/file-read.ts';
import { FileRun } from '../../../src/import/files/file-run.ts';
import { ImportError } from '../../../src/import/run.ts';
import { fixtureBytes, fixtureTrace, packedFixture } from '../../helpers/fixtures.ts';
import { type Member, tarOf } from '../../helpers/tar.ts';

const NAME = 'x86-lost/trace-overrun.txt';
const TRACE = fixtureBytes(NAME);
const EVENTS = fixtureTrace(NAME).length;

function read(bytes: Uint8Array, chunk = 1000): FileRead[] {
  const run = new FileRun('heap.tar');
  for (let at = 0; at < bytes.length; at += chunk) run.push(bytes.subarray(at, at + chunk));
  return run.end();
}

/** Name and number of events of what was read; the reason where it is no trace. */
const told = (files: readonly FileRead[]) => files.map(({ file, trace, problem }) => [file, trace?.length ?? problem]);

const MEMBERS: Member[] = [
  { name: 'a', data: '', type: '5' },
  { name: 'a/trace.txt', data: TRACE },
  { name: 'a/link', data: '', type: '2' },
  { name: 'a/notes.txt', data: 'nothing here\n' },
  { name: 'a/trace.txt.gz', data: packedFixture(NAME) },
];

describe('archives', () => {
  it('tar: every file is read, packed ones too; folders and links are left out', () => {
    for (const bytes of [tarOf(MEMBERS), gzipSync(tarOf(MEMBERS))])
      for (const chunk of [1, 511, 513, 1 << 20]) {
        if (chunk === 1 && bytes.length > 100_000) continue;
        const files = read(bytes, chunk);
        assert.deepEqual(
          files.map(({ file, trace }) => [file, trace?.length]),
          [
            ['heap.tar/a/trace.txt', EVENTS],
            ['heap.tar/a/notes.txt', undefined],
            ['heap.tar/a/trace.txt.gz', EVENTS],
          ],
        );
        assert.equal(files[0]!.modified, 1_700_000_000_000);
        assert.match(files[1]!.problem!, /no line of it is a trace record/);
        // What came out of an archive is what the file alone gives.
        assert.deepEqual(files[0]!.trace!.first.accounting, fixtureTrace(NAME).first.accounting);
      }
  });

  it('tar: long paths of ustar, GNU tar and pax, and the time of pax', () => {
    const long = `${'d/'.repeat(60)}trace.txt`;
    const pax = (name: string, value: string): string => {
      // The length counts its own digits, too.
      const rest = ` ${name}=${value}\n`;
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return `${length}${rest}`;
    };
    const files = read(
      tarOf([
        { name: 'trace.txt', prefix: 'p/q', data: TRACE },
        { name: '././@LongLink', type: 'L', data: `${long}\0` },
        { name: long.slice(0, 99), data: TRACE },
        { name: 'PaxHeaders/x', type: 'x', data: pax('path', `${long}.pax`) + pax('mtime', '1700000000.5') },
        { name: 'x', data: TRACE },
        { name: 'last.txt', data: TRACE },
      ]),
    );
    assert.deepEqual(
      files.map(({ file }) => file.replace('heap.tar/', '')),
      ['p/q/trace.txt', long, `${long}.pax`, 'last.txt'],
    );
    assert.equal(files[2]!.modified, 1_700_000_000_500);
  });

  it('tar: what is cut off or damaged says so, and nothing before it is lost', () => {
    const whole = tarOf(MEMBERS);
    const cut = read(whole.subarray(0, 1024 + TRACE.length / 2));
    assert.equal(cut.length, 2);
    assert.ok(cut[0]!.trace!.length > 0 && cut[0]!.trace!.length < EVENTS);
    assert.match(cut[1]!.problem!, /^the archive is cut off: \d+ bytes of its last file are missing$/);
    const damaged = Uint8Array.from(whole);
    // The checksum of the third header.
    const at = 1024 + Math.ceil(TRACE.length / 512) * 512 + 150;
    damaged[at] = damaged[at]! ^ 1;
    const rest = read(damaged);
    assert.equal(rest[0]!.trace!.length, EVENTS);
    assert.match(
      rest.at(-1)!.problem!,
      /^the archive is damaged near byte \d+: a header of a file has a wrong checksum$/,
    );
    const packed = gzipSync(whole);
    assert.match(read(packed.subarray(0, packed.length / 2)).at(-1)!.problem!, /^the gzip data /);
  });

  it('tar: values of a pax header may hold line ends; a long header of no records takes no time', function () {
    this.timeout(5000);
    const of = (pax: string): FileRead[] =>
      read(
        tarOf([
          { name: 'x', data: pax, type: 'x' },
          { name: 'short.txt', data: TRACE },
        ]),
        1 << 20,
      );
    // 22 bytes: `22 comment=a`, a line end, `9 path=b`, a line end. The comment holds what looks like a record.
    const [commented] = of('22 comment=a\n9 path=b\n17 path=long.txt\n');
    assert.equal(commented!.file, 'heap.tar/long.txt');
    const [damaged] = of('0 \r'.repeat(300_000));
    assert.deepEqual([damaged!.file, damaged!.trace?.length], ['heap.tar/short.txt', EVENTS]);
  });

  it('tar: every cut gives an answer', () => {
    const whole = tarOf([{ name: 'trace.txt', data: TRACE.subarray(0, 3000) }]);
    for (let at = 512; at < whole.length; at += 97) read(whole.subarray(0, at), 700);
  });

  it('zip: every file is read; damage and cuts say so', () => {
    const whole = zipSync({ 'a/trace.txt': TRACE, 'a/notes.txt': new TextEncoder().encode('nothing here\n') });
    for (const chunk of [100, 1 << 20])
      assert.deepEqual(
        told(read(whole, chunk)).map(([file]) => file),
        ['heap.tar/a/trace.txt', 'heap.tar/a/notes.txt'],
      );
    assert.equal(read(whole)[0]!.trace!.length, EVENTS);
    const stored = zipSync({ 'trace.txt': [TRACE, { level: 0 }] });
    assert.equal(read(stored)[0]!.trace!.length, EVENTS);
    for (let at = 30; at < whole.length; at += 211) {
      const files = read(whole.subarray(0, at));
      assert.ok(files.length > 0);
    }
    const damaged = Uint8Array.from(whole);
    damaged.fill(0xff, 200, 400);
    assert.ok(read(damaged).some(({ problem }) => problem !== undefined));
  });

  it('a file that is no archive fails as before when it is no trace', () => {
    assert.throws(() => read(new TextEncoder().encode('nothing here\n')), ImportError);
    assert.throws(() => read(new Uint8Array(0)), ImportError);
    assert.deepEqual(told(read(TRACE)), [['heap.tar', EVENTS]]);
  });
});
