// trace.dat files that are written here: every way in which the form says the same records.
import assert from 'node:assert/strict';
import { type TraceInfo, traceInfo } from '../../../src/query/info.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importBytes } from '../../helpers/fixtures.ts';
import {
  type Dat,
  datV6,
  datV7,
  type Entry,
  type FieldSpec,
  formatText,
  LITTLE,
  type Machine,
  recordOf,
} from '../../helpers/trace-dat.ts';
import { texts } from '../samples.ts';

const FIELDS: readonly FieldSpec[] = [
  ['unsigned int irq', 4],
  ['unsigned int vector', 4],
  ['unsigned int cpu', 4],
  ['unsigned int prev_vector', 4],
  ['unsigned int prev_cpu', 4],
];
const PRINT =
  '"irq=%u vector=%u cpu=%u prev_vector=%u prev_cpu=%u", REC->irq, REC->vector, REC->cpu, REC->prev_vector, REC->prev_cpu';
const UPDATE = 300;

const update = (machine: Machine, values: readonly number[], after = 100): Entry => ({
  after,
  data: recordOf(machine, UPDATE, 77, FIELDS, values),
});

/** Two CPUs whose records take turns. */
const dat = (machine: Machine): Dat => ({
  machine,
  formats: [['irq_vectors', formatText('vector_update', UPDATE, FIELDS, PRINT)]],
  cmdlines: '77 irqbalance\n',
  rings: [
    {
      cpus: [
        {
          cpu: 0,
          pages: [
            {
              stamp: 5_000_000_000n,
              entries: [update(machine, [4, 33, 1, 0, 0]), update(machine, [5, 34, 1, 0, 0], 2000)],
            },
          ],
        },
        { cpu: 1, pages: [{ stamp: 5_000_001_000n, entries: [update(machine, [6, 35, 0, 33, 1])] }] },
      ],
    },
  ],
});

function read(bytes: Uint8Array): { trace: Trace; info: TraceInfo } {
  const trace = importBytes(bytes);
  assert.deepEqual(checkIntegrity(trace), []);
  return { trace, info: traceInfo(trace) };
}

describe('trace.dat: the same records in every form', () => {
  const machines: Readonly<Record<string, Machine>> = {
    'little-endian, 64 bit': LITTLE,
    'big-endian, 64 bit': { big: true, long: 8 },
    'little-endian, 32 bit': { big: false, long: 4 },
    'big-endian, 32 bit': { big: true, long: 4 },
  };
  const forms: Readonly<Record<string, (file: Dat) => Uint8Array>> = {
    'version 6': datV6,
    'version 7': (file) => datV7(file),
    'version 7, zstd': (file) => datV7(file, 'zstd'),
    'version 7, zlib': (file) => datV7(file, 'zlib'),
  };
  for (const [machine, of] of Object.entries(machines))
    for (const [form, write] of Object.entries(forms))
      it(`${form}, ${machine}`, () => {
        const { trace, info } = read(write(dat(of)));
        assert.deepEqual(texts(trace), [
          'vec.update irq/4 vector=33 cpu=1 prevVector=0 prevCpu=0 interrupt=false',
          'vec.update irq/6 vector=35 cpu=0 prevVector=33 prevCpu=1 interrupt=false',
          'vec.update irq/5 vector=34 cpu=1 prevVector=0 prevCpu=0 interrupt=false',
        ]);
        assert.equal(info.problem, null);
        assert.equal(info.format, 'trace-dat');
        assert.equal(info.records, 3);
        assert.equal(info.understood, 3);
        assert.equal(info.cpus, 2);
        assert.equal(info.clock, 'local');
        assert.equal(info.start, '5.000000100');
        assert.equal(info.end, '5.000002100');
        assert.match(
          info.variant,
          new RegExp(`^${form.replace(/(7)$/, '$1, not packed')}${of.big ? ', big-endian' : ''}$`),
        );
      });
});
