// A small packed file that holds a gigabyte: it is answered in seconds, and in memory that does not grow with what is in it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { patient } from '../../scripts/test/patience.ts';
import { main, run } from './run.ts';

const MB = 1 << 20;
const PART = 64 * MB;
const PARTS = 16;
const SECONDS = 30;
const MOST_MEMORY = 400;
/**
 * Has the program say the largest size that it had, in MB, after everything else. What Linux tells in getrusage begins with the size
 * of the process that started it; VmHWM begins again with the program.
 */
const PEAK = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync } from 'node:fs';
  const peak = () => {
    if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
    return Number(/^VmHWM:\\s*(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  };
  process.on('exit', () => process.stderr.write('peak ' + (peak() >> 10)));
`)}`;
const RECORD = '          <idle>-0       [000] d.h1.   460.750920: irq_handler_entry: irq=41 name=nvme0q1\n';

describe('1 GB of zeros in a packed file', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-large-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [packing, pack] of [
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ] as const)
    for (const record of [true, false])
      it(`${packing}, ${record ? 'behind a record' : 'and nothing else'}`, async function () {
        this.timeout(patient(2 * SECONDS * 1000));
        const zeros = Buffer.alloc(PART);
        const first = Buffer.from(zeros);
        if (record) first.write(RECORD);
        const file = join(folder, `zeros-${packing}-${record}`);
        writeFileSync(file, Buffer.concat([pack(first), ...Array(PARTS - 1).fill(pack(zeros))]));
        const started = performance.now();
        const { status, out, err } = await run(process.execPath, ['--import', PEAK, main, 'info', file, '--json']);
        assert.ok(performance.now() - started < patient(SECONDS * 1000), 'it takes too long');
        const [, refused, peak] = /^(irqscope: [^\n]*\n)?peak (\d+)$/.exec(err) ?? assert.fail(err);
        assert.ok(Number(peak) <= MOST_MEMORY, `${peak} MB`);
        assert.deepEqual([status, refused !== undefined], record ? [0, false] : [2, true]);
        if (record) assert.equal((JSON.parse(out) as { records: number }).records, 1);
      });
});
