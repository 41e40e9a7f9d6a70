// Every fault and invariant of the catalogue has a rule, and docs/findings.md tells of each of them once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rules } from '../../src/check/rules.ts';
import { found, judged, made, verdict } from './made.ts';

/** F01 to F84, with the gaps of the catalogue. */
const STRETCHES = [
  [1, 13],
  [20, 28],
  [30, 38],
  [40, 48],
  [50, 59],
  [60, 69],
  [70, 79],
  [80, 84],
] as const;
const FAULTS = [
  ...STRETCHES.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, i) => `F${String(from + i).padStart(2, '0')}`),
  ),
  'F7A',
];

/** The invariants of the catalogue. */
const INVARIANTS = `
  ACC ATOM AUX BME CACHE CACHEEQ COAL COMP CTRL DB DEASSIGN DECODE EMU ENABLE FLUSH FMT FORCE FPD FREE GROW GV HCALL HND IEC INTX INV IRR IRTCAP
  ISO ITS LEAK MAN MASK ON ORDER ORDER2 OVL OWN PASID PBA PEND PRESENT PROV PST PUB QLIFE QUIESCE RANGE RES RESAMPLE RET RETGT REUSE ROUTE SID SN
  STORM SWITCH SYNC TBL TEXT TRAP UNPLUG UPD USE VMSI WHO`
  .trim()
  .split(/\s+/)
  .map((name) => `INV-${name}`);

const REFERENCE = ['I-P1', 'I-P2', 'I-P3', 'I-P4'];

describe('the catalogue of faults', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/findings.md'), 'utf8');
  const headings = [...page.matchAll(/^### (\S+)$/gm)].map(([, id]) => id!);
  const names = new Set(rules.flatMap((rule) => [rule.id, ...rule.names]));

  it('has a rule for each fault and each invariant', () => {
    assert.equal(FAULTS.length, 76);
    const all = [...FAULTS, ...INVARIANTS, ...REFERENCE];
    assert.deepEqual(
      all.filter((name) => !names.has(name)),
      [],
    );
  });

  it('stands in docs/findings.md, every rule once', () => {
    assert.deepEqual(headings.toSorted(), rules.map(({ id }) => id).toSorted());
    assert.equal(new Set(headings).size, headings.length);
    for (const name of names)
      assert.ok(headings.includes(name) || page.includes(`| \`${name}\` | [`), `${name} is not found in the page`);
  });

  it('lists the false alarms', () => {
    for (let i = 1; i <= 16; i++) assert.match(page, new RegExp(`^\\| FA${i} \\|`, 'm'));
  });
});

describe('F79', () => {
  it('the kernel says that the ITS stopped', () => {
    const text = '"ITS queue timeout (17408 17344)"';
    assert.deepEqual(found(made(`1 mark marker text=${text}`), 'F79'), ['0 marker: The ITS stopped taking commands']);
    assert.equal(found(made('1 message log text="ITS cmd its_build_mapd_cmd failed"'), 'F79').length, 1);
    const waits = 'message log text="ITS queue timeout (17408 17344)"';
    const names = 'message log text="ITS cmd its_build_inv_cmd failed"';
    assert.deepEqual(
      judged(made(`1 ${waits}\n2 ${names}\n3 ${waits}\n4 ${names}\n5 ${names}`), 'F79').findings.map((f) => f.step),
      [0, 2, 4],
      'the wait and the command that it was for are one',
    );
    assert.deepEqual(found(made('1 mark marker text="ITS [mem 0x8080000-0x809ffff]"'), 'F79'), []);
  });
});

describe('INV-QLIFE', () => {
  const QUEUE = 'device/0000:6a:01.0/queue/0';
  const create = `1 queue.state ${QUEUE} state=created`;
  const bind = `2 queue.state ${QUEUE} state=bound pasid=5`;
  const enable = `3 queue.state ${QUEUE} state=enabled`;
  const submit = `4 qd.submit ${QUEUE} pasid=5`;

  it('created, bound, enabled and used: in that order', () => {
    const trace = made([create, bind, enable, submit].join('\n'));
    assert.deepEqual(found(trace, 'INV-QLIFE'), []);
    assert.equal(verdict(trace, 'INV-QLIFE'), 'pass');
  });

  it('takes further PASIDs and handles of a shared queue in use for no second enabling', () => {
    const shared = [
      'state=created front=cdev',
      'state=bound pasid=5',
      'state=enabled',
      'state=enabled pasid=6',
      'state=enabled handle=3',
    ];
    const at = (list: readonly string[]): string =>
      list.map((rest, i) => `${i + 1} queue.state ${QUEUE} ${rest}`).join('\n');
    assert.deepEqual(found(made(at(shared)), 'INV-QLIFE'), []);
    assert.equal(found(made(at([...shared, 'state=enabled'])), 'INV-QLIFE').length, 1);
  });

  it('enabled without a PASID, and used before it is enabled', () => {
    assert.deepEqual(found(made([create, enable, submit].join('\n')), 'INV-QLIFE'), [
      `1 ${QUEUE}: ${QUEUE} was enabled after it was created`,
    ]);
    assert.deepEqual(found(made([create, bind, submit].join('\n')), 'INV-QLIFE'), [
      `2 ${QUEUE}: ${QUEUE} took a descriptor while it was bound`,
    ]);
  });

  it('what is refused breaks nothing, and what was not seen from the start is not judged', () => {
    const refused = `2 queue.state ${QUEUE} state=enabled ret=-22\n3 qd.submit ${QUEUE} pasid=5 ret=-22`;
    assert.deepEqual(found(made(`${create}\n${refused}`), 'INV-QLIFE'), []);
    assert.equal(verdict(made(`${enable}`), 'INV-QLIFE'), 'not-applicable');
  });
});

describe('INV-CACHEEQ', () => {
  const ENTRY = 'device/0000:03:00.0/msix/1';
  const write = `1 tbl.write ${ENTRY} offset=0x8 size=4 value=0x21`;
  it('a read that is answered with something else than was written', () => {
    const trace = made(`${write}\n2 tbl.read ${ENTRY} offset=0x8 size=4 value=0x22 stale=true`, true);
    assert.deepEqual(found(trace, 'INV-CACHEEQ'), [
      `1 ${ENTRY}: a read of entry 1 of 0000:03:00.0 was answered with something else than it holds`,
    ]);
    assert.equal(
      verdict(made(`${write}\n2 tbl.read ${ENTRY} offset=0x8 size=4 value=0x21`, true), 'INV-CACHEEQ'),
      'pass',
    );
  });
});
