// Rules of the user: "after A on X, B within a time, else report", and what is wrong with a file of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkTrace } from '../../src/check/check-run.ts';
import type { RuleCheck } from '../../src/check/check-trace.ts';
import { verdictsByName } from '../../src/check/report/view.ts';
import { readRules, readUserRules, UserRulesError } from '../../src/check/user/read.ts';
import { ruleFor } from '../../src/check/user/rule.ts';
import { importBytes } from '../helpers/fixtures.ts';
import { schemaProblems } from '../helpers/json-schema.ts';

interface Asked {
  readonly after?: string;
  readonly expect?: string;
  readonly within?: string;
  readonly same?: string;
}

const document = (asked: Asked) => ({
  rules: [
    {
      id: 'answered',
      title: 'no message',
      after: 'kind == dev.raise',
      expect: 'kind == send',
      within: '10 us',
      ...asked,
    },
  ],
});

const TABLE = 'device/0000:03:00.0/msix';
/** An event after so many microseconds. */
const raise = (us: number, entry: number): [number, string] => [us, `dev.raise ${TABLE}/${entry} vector=${entry}`];
const send = (us: number, entry: number): [number, string] => [
  us,
  `send ${TABLE}/${entry} address=0xfee00000 data=${entry === 0 ? '0x21' : '0x22'}`,
];

function check(events: readonly (readonly [number, string])[], asked: Asked = {}): RuleCheck {
  const lines = events.map(([us, text]) => `0.${String(us).padStart(6, '0')}000 cpu${us % 2} - ${text}`);
  const trace = importBytes(Buffer.from(['#irqtrace 1', '#clock seconds digits=9 t', ...lines, ''].join('\n')));
  assert.equal(trace.length, events.length);
  return checkTrace(trace, [ruleFor(readUserRules(JSON.stringify(document(asked)))[0]!, trace)]);
}

const steps = (of: RuleCheck): number[] => of.findings.map(({ step }) => step);
const verdict = (of: RuleCheck): string | undefined => of.verdicts()['answered'];

describe('rules of the user', () => {
  it('follow an interrupt from object to object, and may ask for the state', () => {
    const irq = (us: number, n: number): [number, string] => [us, `irq.entry irq/${n} name=x`];
    const known: [number, string][] = [0, 1].map((entry) => [
      1,
      `irq.identify irq/${40 + entry} device=0000:03:00.0 hwirq=${entry} domain=PCI-MSIX-0000:03:00.0`,
    ]);
    const entries: [number, string][] = [0, 1].map((entry) => [
      0,
      `tbl.write ${TABLE}/${entry} offset=0xc size=4 value=0x${entry}`,
    ]);
    const asked = { after: 'kind == dev.raise', expect: 'kind == irq.entry', same: 'entry', within: '10 us' };
    const events = [
      ...entries,
      ...known,
      raise(10, 0),
      raise(12, 1),
      irq(18, 41),
      raise(50, 0),
      irq(55, 40),
      irq(80, 41),
    ];
    // The first cause of entry 0 has no handler of its irq in time; the one of irq 41 is that of entry 1.
    assert.deepEqual(steps(check(events, asked)), [4]);
    const masked = { ...asked, after: 'kind == dev.raise && !entry.mask' };
    assert.deepEqual(steps(check([...events.slice(0, 6), irq(70, 41)], asked)), [4, 5]);
    assert.deepEqual(steps(check([...events.slice(0, 6), irq(70, 41)], masked)), [4]);
  });

  it('pass where what is expected comes in time, to the nanosecond', () => {
    const result = check([raise(10, 0), send(20, 0), raise(50, 0), send(55, 0)]);
    assert.deepEqual(steps(result), []);
    assert.equal(verdict(result), 'pass');
  });

  it('find what comes late, at the event after which it was due', () => {
    const result = check([raise(10, 0), send(21, 0)]);
    assert.deepEqual(steps(result), [0]);
    assert.equal(verdict(result), 'fail');
    assert.match(result.findings[0]!.text, /within 10\.000 µs/);
    assert.equal(result.findings[0]!.severity, 'warning');
  });

  it('ask for the same object, unless told otherwise', () => {
    const events = [raise(10, 0), raise(11, 1), send(12, 1), send(40, 1)];
    assert.deepEqual(steps(check(events)), [0]);
    assert.deepEqual(steps(check(events, { same: 'any' })), []);
    assert.deepEqual(steps(check(events, { same: 'cpu' })), [1]);
  });

  it('ask for the same value of an argument', () => {
    const asked = { after: 'kind == send', expect: 'kind == send && step > 1', same: 'data' };
    const events = [send(1, 0), send(2, 1), send(5, 0), send(30, 0)];
    // Step 0 has its answer at step 2; step 1, and step 2 itself, have none.
    assert.deepEqual(steps(check(events, asked)), [1, 2]);
  });

  it('ask for all bits of a wide argument, and for its value where two kinds hold it in other widths', () => {
    const to = (us: number, address: string): [number, string] => [us, `send ${TABLE}/0 address=${address} data=0x21`];
    const asked = { after: 'kind == send && step == 0', expect: 'kind == send && step > 0', same: 'address' };
    const late: [number, string] = [60, `send ${TABLE}/0 address=0x1 data=0x21`];
    assert.deepEqual(steps(check([to(1, '0x1fee00000'), to(2, '0xfee00000'), late], asked)), [0]);
    assert.deepEqual(steps(check([to(1, '0x1fee00000'), to(2, '0x1fee00000'), late], asked)), []);
    const request = (data: string): [number, string] => [2, `ir.request irte/0/1 address=0xfee00000 data=${data}`];
    const data = { after: 'kind == send && step == 0', expect: 'kind == ir.request', same: 'data' };
    assert.deepEqual(steps(check([to(1, '0x0'), request('0x21'), late], data)), []);
    assert.deepEqual(steps(check([to(1, '0x0'), request('0x100000021'), late], data)), [0]);
  });

  it('let one event answer several', () => {
    assert.deepEqual(steps(check([raise(1, 0), raise(2, 0), send(9, 0), raise(60, 1)])), []);
  });

  it('say nothing of what the end of the trace cuts off', () => {
    const result = check([send(1, 0), raise(10, 0), raise(20, 1)]);
    assert.deepEqual(steps(result), []);
    assert.equal(verdict(result), 'not-applicable');
  });

  it('are undecidable where the trace holds no such events, or lost some', () => {
    assert.equal(verdict(check([raise(10, 0), raise(40, 1)])), 'undecidable');
    const lost: [number, string] = [11, 'lost count=3'];
    assert.equal(verdict(check([send(1, 0), raise(10, 0), lost, raise(40, 1)])), 'not-applicable');
  });
});

describe('a rule of the user that expects the end of an interrupt', () => {
  const asked = { after: 'kind == apic.inj', expect: 'kind == apic.eoi', same: 'object' };
  const inject = (us: number): [number, string] => [us, 'apic.inj vcpu/0/vector/33 reinjected=false'];
  const eoi = (us: number, object: string): [number, string] => [us, `apic.eoi ${object}`];

  it('finds that it is missing where the trace tells which interrupts end', () => {
    const result = check([inject(1), eoi(2, 'vcpu/0/vector/33'), inject(10), inject(40)], asked);
    assert.deepEqual(steps(result), [2]);
  });

  it('is undecidable where the log tells ends without their vectors', () => {
    const result = check([inject(1), eoi(2, 'vcpu/0'), inject(10), inject(40)], asked);
    assert.deepEqual(steps(result), []);
    assert.equal(verdict(result), 'undecidable');
  });
});

describe('a file of rules', () => {
  const problem = (text: string): string => {
    try {
      readUserRules(text);
    } catch (error) {
      assert.ok(error instanceof UserRulesError);
      return error.message;
    }
    return assert.fail('it was read');
  };

  it('tells where it is wrong', () => {
    assert.match(problem('{'), /^no JSON: /);
    assert.match(problem('{"rules": 1}'), /^rules: /);
    assert.match(problem(JSON.stringify(document({ within: '5' }))), /^rules\.0\.within: a duration with unit/);
    assert.match(problem(JSON.stringify(document({ after: 'kind = x' }))), /^rules\.0\.after, column \d+: /);
    assert.equal(problem(JSON.stringify(document({ after: '' }))), 'rules.0.after: it is empty');
    assert.match(problem(JSON.stringify(document({ same: 'a.b' }))), /^rules\.0\.same: `object`, .*, found "a\.b"$/);
    assert.match(problem('{"rules": [], "rule": []}'), /rule/);
    const twice = document({}).rules[0];
    assert.match(problem(JSON.stringify({ rules: [twice, twice] })), /^rules\.1\.id: there is another rule answered/);
    assert.match(problem(JSON.stringify({ rules: [{ ...twice, id: 'F03' }] })), /another rule F03/);
  });

  it('tells everything that is wrong in it, each at its place, and keeps the other rules', () => {
    const rule = document({}).rules[0]!;
    const text = JSON.stringify(
      {
        rules: [
          rule,
          { ...rule, id: 'typo', after: 'name == "a" && kind == dev.rais', expect: 'kind = send' },
          { ...rule, id: 'number', within: 5 },
          { ...rule, id: 'key', sevrity: 'error' },
          { id: 'none' },
          { ...rule, id: 'unit', within: '5 parsec' },
          { ...rule, id: 'good', severity: 'error' },
        ],
      },
      null,
      2,
    );
    const { rules, problems } = readRules(text);
    assert.deepEqual(
      rules.map(({ id }) => id),
      ['answered', 'good'],
    );
    assert.deepEqual(
      problems.map(({ from, to, message }) => [text.slice(from, to), message]),
      [
        ['dev.rais"', 'rules.1.after, column 24: there is no event kind dev.rais; did you mean dev.raise?'],
        ['= send"', 'rules.1.expect, column 6: expected `==`, found `=`'],
        ['5', 'rules.2.within: expected a text, found 5'],
        ['"sevrity"', 'rules.3.sevrity: there is no such key'],
        ...['title', 'after', 'expect', 'within'].map((key) => ['{', `rules.4.${key}: this key is missing`]),
        ['"5 parsec"', 'rules.5.within: a duration with unit, such as 5 ms, was expected, found "5 parsec"'],
      ],
    );
    assert.deepEqual(readRules('{"rules": [], "x": 1}').problems, [
      { from: 14, to: 17, message: 'x: there is no such key' },
    ]);
    assert.deepEqual(
      readRules('{"rules": [\n').problems.map(({ from }) => from),
      [10],
    );
  });

  it('may call a rule as the members of every object are called', () => {
    const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    const rules = names.map((id) => ({ ...document({}).rules[0], id }));
    const read = readUserRules(JSON.stringify({ rules }));
    const verdicts = verdictsByName(read.map(({ id }) => [{ id, names: [] }, 'pass'] as const));
    assert.deepEqual(
      Object.entries(verdicts),
      names.map((id) => [id, 'pass']),
    );
  });

  it('holds a thousand rules and a megabyte at most', () => {
    const many = (n: number): string =>
      JSON.stringify({
        rules: Array.from({ length: n }, (_, i) => ({
          id: `r${i}`,
          title: 't',
          after: 'kind == send',
          expect: 'kind == send',
          within: '1 ms',
        })),
      });
    assert.equal(readUserRules(many(1000)).length, 1000);
    assert.throws(() => readUserRules(many(1001)), /at most 1,000 rules, not 1,001/);
    assert.throws(() => readUserRules(`${many(1)}${' '.repeat(1 << 20)}`), /larger than 1 MB/);
  });

  it('tells of a name that no two events can have in common', () => {
    for (const same of ['object', 'cpu', 'any', 'entry', 'irq', 'device', 'vector', 'data'])
      assert.equal(readUserRules(JSON.stringify(document({ same }))).length, 1, same);
    const wrong = (same: string) => () => readUserRules(JSON.stringify(document({ same })));
    assert.throws(wrong('vectr'), /^Error: rules\.0\.same: no event has anything called vectr; did you mean vector/);
    assert.throws(wrong('constructor'), /no event has anything called constructor/);
  });

  it('is described by the schema that editors use', () => {
    const path = join(import.meta.dirname, '../../syntaxes/rules.schema.json');
    const schema = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(schemaProblems(document({ same: 'vector' }), schema), []);
    assert.notDeepEqual(schemaProblems(document({ within: '5' }), schema), []);
    assert.notDeepEqual(schemaProblems({ rules: [{ id: 'x' }] }, schema), []);
  });
});

describe('the schema of the file', () => {
  it('offers values that a rule can have', () => {
    interface Property {
      readonly examples?: readonly string[];
    }
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../syntaxes/rules.schema.json'), 'utf8')) as {
      properties: { rules: { items: { properties: Record<string, Property> } } };
    };
    const { properties } = schema.properties.rules.items;
    for (const key of ['after', 'expect', 'within', 'same'] as const) {
      const { examples = [] } = properties[key] ?? {};
      assert.ok(examples.length >= 2, key);
      for (const example of examples)
        assert.equal(readUserRules(JSON.stringify(document({ [key]: example }))).length, 1, `${key}: ${example}`);
    }
  });
});
