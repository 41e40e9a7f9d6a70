// What is said of a scenario with which something is wrong: line, place, reason, and the nearest right name.
import assert from 'node:assert/strict';
import { type Snippet, snippets } from '../../scripts/scenario-snippets.ts';
import { syntaxFault, withoutComments } from '../../src/base/json-syntax.ts';
import { bundledScenarios } from '../../src/sim/bundled.ts';
import type { ScenarioProblem } from '../../src/sim/scenario-problems.ts';
import type { Scenario } from '../../src/sim/scenario-schema.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { newScenario } from '../../src/sim/text/new-scenario.ts';
import { runnablePart, scenarioPaths } from '../../src/sim/text/scenario-paths.ts';
import { beyondSchema, scenarioFromText, soundScenario } from '../../src/sim/text/sound-scenario.ts';

const MSIX = 'device/0000:03:00.0/msix/1';
const GOOD = {
  title: 'x',
  description: 'y',
  platform: { arch: 'x86' },
  devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }],
  vms: [{ id: 0, vcpus: 1, devices: [{ bdf: '0000:00:04.0', name: 'net', vectors: 2 }] }],
  policies: { msixOwner: 'kernel' },
  workload: [{ at: '10us', op: 'device.raise', object: MSIX }],
};

/** The first problem of a document as `LINE:COLUMN PATH: PROBLEM`. */
function first(document: object): string {
  const read = scenarioFromText(JSON.stringify(document, undefined, 1));
  if ('title' in read) return 'sound';
  const [{ line, column, path, problem }] = read as [(typeof read)[number]];
  return `${line}:${column} ${path}: ${problem}`;
}

describe('problems of scenarios', () => {
  it('are none in the bundled ones', () => {
    for (const { id, document } of bundledScenarios) assert.ok('title' in soundScenario(document), id);
    assert.equal(first(GOOD), 'sound');
  });

  const raise = GOOD.workload[0]!;
  const cases: readonly (readonly [string, object, RegExp])[] = [
    [
      'an operation that does not exist',
      { ...GOOD, workload: [{ ...raise, op: 'device.rais' }] },
      /^\d+:\d+ workload\.0\.op: there is no operation device\.rais: did you mean device\.raise\?$/,
    ],
    ['an argument', { ...GOOD, workload: [{ ...raise, evry: '1us' }] }, /workload\.0\.evry: .*: did you mean every\?$/],
    [
      'an object',
      { ...GOOD, workload: [{ ...raise, object: 'irq/1' }] },
      /workload\.0\.object: device\.raise is done to/,
    ],
    [
      'a key',
      { ...GOOD, devices: [{ bdf: '0000:03:00.0', name: 'n', vectros: 2 }] },
      /devices\.0\.vectros: there is no such key: did you mean vectors\?$/,
    ],
    ['a key at the top', { ...GOOD, workloda: [] }, /workloda: there is no such key: did you mean workload\?$/],
    ['a policy', { ...GOOD, policies: { msixOwne: 'kernel' } }, /policies\.msixOwne: .*: did you mean msixOwner\?$/],
    [
      'the value of a policy whose name has a point',
      { ...GOOD, policies: { 'guest.delivery': 'post' } },
      /policies\.guest\.delivery: policy guest\.delivery is one of injected, posted, not post: did you mean posted\?$/,
    ],
    [
      'VT-d on an Arm host',
      { ...GOOD, platform: { arch: 'arm64', remap: 'vtd' } },
      /platform\.remap: an arm64 host has no VT-d/,
    ],
    ['an ITS on an x86 host', { ...GOOD, platform: { remap: 'its' } }, /platform\.remap: an x86 host has no ITS/],
    ['an SMMU on an x86 host', { ...GOOD, platform: { smmu: true } }, /platform\.smmu: an x86 host has no SMMU/],
    ['two functions', { ...GOOD, devices: [GOOD.devices[0], GOOD.devices[0]] }, /devices\.1\.bdf: another function/],
    ['two machines', { ...GOOD, vms: [GOOD.vms[0], GOOD.vms[0]] }, /vms\.1\.id: another virtual machine is 0/],
    [
      'two functions of a machine',
      { ...GOOD, vms: [{ ...GOOD.vms[0], devices: [GOOD.vms[0]!.devices[0], GOOD.vms[0]!.devices[0]] }] },
      /vms\.0\.devices\.1\.bdf: another function is/,
    ],
  ];
  for (const [what, document, message] of cases) it(`tell of ${what}`, () => assert.match(first(document), message));

  it('stand on the line of what is wrong', () => {
    const text = JSON.stringify({ ...GOOD, policies: { 'guest.delivery': 'post' } }, undefined, 1);
    const [problem] = scenarioFromText(text) as unknown as [{ line: number; column: number }];
    const lines = text.split('\n');
    assert.equal(lines[problem.line - 1]!.slice(problem.column - 1), '"post"');
  });

  it('are all told, whatever they are about', () => {
    const document = {
      ...GOOD,
      vms: [GOOD.vms[0], { id: 0, vcpus: 1 }],
      policies: { x: 'y' },
      workload: [{ at: 1, op: 'z' }],
    };
    const read = soundScenario(document) as readonly ScenarioProblem[];
    assert.deepEqual(
      read.map(({ path }) => path),
      ['vms.1.id', 'policies.x', 'workload.0.op'],
    );
  });
});

describe('a new scenario', () => {
  it('is sound, comments and all, and does what its description says', () => {
    const scenario = scenarioFromText(newScenario('a "title"')) as Scenario;
    assert.equal(scenario.title, 'a "title"');
    const run = new Simulation({ scenario, seed: 1, settings: {}, operations: [] });
    run.run();
    const { delivered, pending, dropped } = run.machine.ledger.tally();
    assert.deepEqual([delivered, pending, dropped], [5, 0, 0]);
  });
});

describe('comments in scenarios', () => {
  it('are left out, and every other character keeps its place', () => {
    const text = '{ // "a": 1\n "b": "// no /* comment */", /* two\nlines */ "c": [1/**/,2] }';
    const plain = withoutComments(text);
    assert.equal(plain.length, text.length);
    assert.deepEqual(JSON.parse(plain), { b: '// no /* comment */', c: [1, 2] });
    assert.equal(plain.split('\n').length, text.split('\n').length);
  });

  it('that do not end, and single strokes, are no comments', () => {
    for (const text of ['[1] /* open', '[1 / 2]']) assert.equal(withoutComments(text).trimEnd(), text);
  });
});

describe('syntax of JSON', () => {
  const wrong: readonly (readonly [string, number, string])[] = [
    ['', 0, 'expected a value, found the end of the text'],
    ['{"a": 1,}', 8, 'expected a key in quotation marks, found }'],
    ['[1, 2', 5, 'expected a comma or ], found the end of the text'],
    ['{"a" 1}', 5, 'expected a colon behind the key, found 1'],
    ["{'a': 1}", 1, "expected a key in quotation marks or }, found 'a'"],
    ['[1] x', 4, 'expected the end, found x'],
    ['[01]', 2, 'expected a comma or ], found 1'],
    ['["a\nb"]', 1, 'expected a value or ], found a text that is not ended, or has a sign that must be escaped'],
    ['[tru]', 1, 'expected a value or ], found tru'],
    ['[1}', 2, 'expected a comma or ], found }'],
    ['// no', 0, 'expected a value, found /'],
  ];
  for (const [text, at, problem] of wrong)
    it(`tells where ${JSON.stringify(text)} goes wrong`, () => assert.deepEqual(syntaxFault(text), { at, problem }));

  it('refuses what JSON.parse refuses, and nothing else', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"\\u00e9"',
      '"\\x"',
      '1',
      '-0.5e3',
      '01',
      'true',
      'nul',
      ' ',
      '\t',
    ];
    let seed = 7;
    const next = (n: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * n);
    };
    for (let round = 0; round < 20_000; round++) {
      let text = '';
      for (let i = next(8); i >= 0; i--) text += pieces[next(pieces.length)]!;
      let sound = true;
      try {
        JSON.parse(text);
      } catch {
        sound = false;
      }
      assert.equal(syntaxFault(text) === undefined, sound, text);
    }
    for (const { document } of bundledScenarios)
      assert.equal(syntaxFault(JSON.stringify(document, undefined, 2)), undefined);
  });
});

/** A snippet with its first values, as the editor inserts it when the user does not change them. */
function inserted({ body, bodyText }: Snippet): unknown {
  const text = bodyText ?? JSON.stringify(body).replace(/"\^([^"]*)"/g, '$1');
  return JSON.parse(withoutComments(text.replace(/\$\{\d+:([^}]*)\}/g, '$1')));
}

describe('snippets of the schema', () => {
  const start = inserted(snippets['']![0]!) as Record<string, unknown>;
  it('begin with a scenario that runs and delivers', () => {
    const scenario = soundScenario(start);
    assert.ok('title' in scenario);
    const run = new Simulation({ scenario, seed: 1, settings: {}, operations: [] });
    run.run();
    const names = Array.from({ length: run.trace.length }, (_, i) => run.trace.table.kind(i).name);
    assert.ok(names.includes('irq.entry'), names.join(' '));
    assert.ok(!names.includes('illegal'));
  });
  for (const [place, all] of Object.entries(snippets).filter(([at]) => at !== ''))
    for (const snippet of all)
      it(`insert what runs: ${snippet.label}`, () => {
        const list = place.replace('[]', '');
        const devices = [
          { bdf: '0000:01:00.0', name: 'other', vectors: 1 },
          ...(list === 'devices' ? [] : [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }]),
        ];
        const base: Record<string, unknown[]> = { devices, vms: [], workload: [] };
        const document = { title: 'x', description: 'y', ...base, [list]: [...base[list]!, inserted(snippet)] };
        const scenario = soundScenario(document);
        assert.ok('title' in scenario, JSON.stringify(scenario));
        const run = new Simulation({ scenario, seed: 1, settings: {}, operations: [] });
        run.run();
        for (let i = 0; i < run.trace.length; i++) assert.notEqual(run.trace.table.kind(i).name, 'illegal');
      });
});

describe('objects of a scenario that a user types', () => {
  const pathsOf = (text: string): readonly string[] | undefined => {
    const scenario = runnablePart(text);
    if (scenario === undefined) return undefined;
    const work = scenarioPaths(scenario);
    for (let at = work.next(); ; at = work.next()) if (at.done) return at.value;
  };
  it('are those of a run, also where a task or a policy is not sound', () => {
    const sound = pathsOf(JSON.stringify(GOOD));
    assert.ok(sound?.includes(MSIX) && sound.includes('irq/25') && sound.includes('kvm/0'), sound?.join(' '));
    const half = {
      ...GOOD,
      policies: { ...GOOD.policies, nothing: 'x' },
      workload: [...GOOD.workload, { at: '1us', op: 'entry.mas', object: '' }],
    };
    assert.deepEqual(pathsOf(JSON.stringify(half)), sound);
    assert.deepEqual(
      pathsOf(JSON.stringify({ ...GOOD, workload: [...GOOD.workload, { op: 'entry.mask' }] }))?.includes(MSIX),
      true,
    );
  });
  it('are none where the text is no scenario', () => {
    assert.equal(pathsOf('{"title": '), undefined);
    assert.equal(pathsOf('[]'), undefined);
    assert.equal(pathsOf(JSON.stringify({ ...GOOD, platform: { arch: 'arm64', remap: 'vtd' } })), undefined);
  });
});

describe('what the editor marks beyond the schema of a scenario', () => {
  it('says which name a wrong operation, argument or policy is nearest to, at its place; not what the schema says as well', () => {
    const text = `{
      "title": "t", "description": "d",
      "devices": [{ "bdf": "0000:03:00.0", "name": "nvme", "vectors": 2 }],
      "policies": { "msixOwnr": "user", "vectorCleanup": "nothing alike" },
      "workload": [
        { "at": "1us", "op": "device.rais", "object": "device/0000:03:00.0/msix/1" },
        { "at": "2us", "op": "irq.affinity", "object": "irq/24", "cpu": [0], "cpus": [0] },
        { "at": "3us", "op": "zzzzzzzz", "object": "irq/24" }
      ]
    }`;
    assert.deepEqual(
      beyondSchema(text).map(({ from, to, problem }) => [text.slice(from, to), problem]),
      [
        ['"msixOwnr"', 'there is no policy msixOwnr: did you mean msixOwner?'],
        ['"device.rais"', 'there is no operation device.rais: did you mean device.raise?'],
        ['"cpu"', 'irq.affinity has no argument cpu: did you mean cpus?'],
      ],
    );
  });
});
