// A log that was rotated, on the command line: its pieces together answer like the whole.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { tarOf } from '../helpers/tar.ts';
import { answered } from './run.ts';

const BYTES = fixtureBytes('x86-vtd/qemu.log');
const CUT = BYTES.indexOf(10, Math.floor(BYTES.length * 0.6)) + 1;
const [OLD, NEW] = [BYTES.subarray(0, CUT), BYTES.subarray(CUT)];
const LINES = NEW.reduce((sum, byte) => (byte === 10 ? sum + 1 : sum), 0);

describe('a log that was rotated', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-pieces-'));
    writeFileSync(at('whole.log'), BYTES);
    writeFileSync(at('qemu.log'), NEW);
    writeFileSync(at('qemu.log.1.gz'), gzipSync(OLD));
    const members = [
      { name: 'run/qemu.log', data: NEW },
      { name: 'run/qemu.log.1.gz', data: gzipSync(OLD) },
    ];
    writeFileSync(at('run.tar.gz'), gzipSync(tarOf(members)));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('answers like the whole, as files and in an archive', async () => {
    const rows = async (...args: string[]): Promise<string[]> => {
      const { out } = await answered(['interrupts', ...args]);
      return out.split('\n');
    };
    const [title, ...all] = await rows(at('whole.log'));
    const [withTitle, ...together] = await rows(at('qemu.log'), '--with', at('qemu.log.1.gz'));
    const [inTitle, ...archived] = await rows(at('run.tar.gz'));
    assert.deepEqual(together, all);
    assert.deepEqual(archived, all);
    // The last event stands in the last line of the second piece, also where the first one has more events.
    assert.match(title!, /whole\.log:47183: interrupts after step 41115 /);
    assert.ok(withTitle!.startsWith(`${at('qemu.log')}:${LINES}: `), withTitle);
    assert.ok(inTitle!.includes(`/run/qemu.log:${LINES}: `), inTitle);
    const found = async (file: string): Promise<unknown> => {
      const { out } = await answered(['check', file, '--json']);
      const { findings } = JSON.parse(out) as { findings: { rule: string; step: number }[] };
      return findings.map(({ rule, step }) => [rule, step]);
    };
    assert.deepEqual(await found(at('run.tar.gz')), await found(at('whole.log')));
  });

  it('says that its pieces are on one clock', async () => {
    const { out } = await answered(['info', at('qemu.log'), '--with', at('qemu.log.1.gz')]);
    assert.match(
      out,
      /qemu\.log\.1\.gz[^\n]*\n {6}offset 0\.000000000 s ± 0\.000000000 s\n {6}one recording goes on from file to file/,
    );
  });
});
