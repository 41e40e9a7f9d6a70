// `irqscope check`: what it prints, in each form, for one file and for several.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { SarifLog } from '../../src/check/report/sarif.ts';
import type { CheckView } from '../../src/check/report/view.ts';
import { schemaProblems } from '../helpers/json-schema.ts';
import { ENTRY, lineOf, maskedSend, STEPS, textOfStep } from '../helpers/masked-send.ts';
import { sarifSchema } from '../helpers/sarif-schema.ts';
import { answered, irqscope } from './run.ts';

const ONLY = ['--rule', 'F03'];

describe('irqscope check', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-check-'));
    writeFileSync(at('bad.irqtrace'), maskedSend());
    writeFileSync(at('good.irqtrace'), maskedSend(STEPS.send));
    writeFileSync(at('none.txt'), 'this is no trace\n');
    writeFileSync(at('bad é #1.irqtrace'), maskedSend());
    writeFileSync(at('bad.gz'), gzipSync(maskedSend()));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('--json tells each finding with the keys that scripts read, and the verdicts by every name', async () => {
    const { status, out } = await answered(['check', at('bad.irqtrace'), '--json', ...ONLY]);
    const view = JSON.parse(out) as CheckView;
    assert.equal(status, 1);
    assert.equal(view.file, at('bad.irqtrace'));
    assert.equal(view.findings.length, 1);
    const [finding] = view.findings;
    assert.deepEqual(
      { ...finding, explanation: undefined, confirm: undefined, title: undefined },
      {
        rule: 'F03',
        names: ['INV-MASK', 'I-P1'],
        severity: 'error',
        lost: false,
        step: STEPS.send,
        time: '0.000008000',
        object: ENTRY,
        evidence: [STEPS.fn, STEPS.mask, STEPS.send],
        reference: 'PCIe 6.1.4.5, 7.7.2',
        explanation: undefined,
        confirm: undefined,
        title: undefined,
      },
    );
    assert.match(finding!.title, /entry 1 of 0000:03:00\.0 /);
    assert.deepEqual(view.verdicts, { F03: 'fail', 'INV-MASK': 'fail', 'I-P1': 'fail' });
  });

  it('tells every rule by every name, also those that the file does not let judge', async () => {
    const { out } = await answered(['check', at('good.irqtrace'), '--json']);
    const { verdicts } = JSON.parse(out) as CheckView;
    for (const name of ['F01', 'F25', 'INV-IRR', 'INV-PEND', 'I-P4', 'F84', 'F7A']) assert.ok(verdicts[name], name);
    assert.equal(verdicts['F03'], 'undecidable', 'no message is in the file');
    assert.equal(verdicts['INV-MASK'], 'undecidable');
  });

  it('exits 0 without an error, 1 with one, 2 when the file is no trace', async () => {
    assert.equal((await answered(['check', at('good.irqtrace'), ...ONLY])).status, 0);
    assert.equal((await answered(['check', at('bad.irqtrace'), ...ONLY])).status, 1);
    const none = await irqscope(['check', at('none.txt')]);
    assert.equal(none.status, 2);
    assert.match(none.err, /^irqscope: .*none\.txt: [^\n]*\n$/);
  });

  it('prints the lines of the source as they stand there, also of a packed one', async () => {
    for (const name of ['bad.irqtrace', 'bad.gz']) {
      const { out } = await answered(['check', at(name), ...ONLY]);
      assert.match(out, /^.*: 1 finding, worst: F03 entry 1 of 0000:03:00\.0 sent a message while it was masked\n/);
      for (const step of [STEPS.fn, STEPS.mask, STEPS.send])
        assert.ok(out.includes(`${at(name)}:${lineOf(step)}: ${textOfStep(step)}\n`), out);
      assert.match(out, /to confirm: /);
    }
  });

  it('prints the events where the source cannot be read again', async () => {
    const { out } = await irqscope(['check', '-', ...ONLY], Buffer.from(maskedSend()));
    assert.ok(out.includes(`-:${lineOf(STEPS.mask)}: ${textOfStep(STEPS.mask)}\n`), out);
  });

  it('--sarif fits the schema and names the lines', async () => {
    const file = at('bad é #1.irqtrace');
    const { status, out } = await answered(['check', file, '--sarif', ...ONLY]);
    assert.equal(status, 1);
    const log = JSON.parse(out) as SarifLog;
    assert.deepEqual(schemaProblems(log, sarifSchema), []);
    const [{ results, tool, invocations }] = log.runs;
    const rules = tool.driver['rules'] as { id: string }[];
    assert.equal(results.length, 1);
    const [result] = results;
    assert.equal(rules[result!.ruleIndex]?.id, 'F03');
    const { artifactLocation, region } = result!.locations[0]!.physicalLocation;
    assert.equal(decodeURIComponent(new URL(artifactLocation.uri).pathname), file);
    assert.deepEqual(region, { startLine: lineOf(STEPS.send), snippet: { text: textOfStep(STEPS.send) } });
    assert.deepEqual(
      result!.relatedLocations.map(({ physicalLocation: p }) => p.region!.startLine),
      [lineOf(STEPS.fn), lineOf(STEPS.mask)],
    );
    assert.deepEqual(result!.partialFingerprints, { 'irqscope/1': `F03 ${ENTRY} 1` });
    assert.equal(invocations[0]!.executionSuccessful, true);
  });

  it('--severity leaves out what is less severe', async () => {
    const { out } = await answered(['check', at('bad.irqtrace'), '--json', '--severity', 'error']);
    const { findings } = JSON.parse(out) as CheckView;
    assert.ok(findings.some(({ rule }) => rule === 'F03'));
    assert.ok(findings.every(({ severity }) => severity === 'error'));
  });

  it('judges by rules of the user', async () => {
    const rules = {
      rules: [
        {
          id: 'answered',
          title: 'a cause without a message',
          after: 'kind == dev.raise',
          expect: 'kind == send',
          within: '500 ns',
          severity: 'info',
        },
      ],
    };
    writeFileSync(at('rules.json'), JSON.stringify(rules));
    const args = ['check', at('bad.irqtrace'), '--rules', at('rules.json'), '--rule', 'answered', '--json'];
    const { status, out } = await answered(args);
    const { findings, verdicts } = JSON.parse(out) as CheckView;
    assert.equal(status, 0, 'its severity is info');
    assert.deepEqual(
      findings.map(({ rule, step, object, severity }) => ({ rule, step, object, severity })),
      [{ rule: 'answered', step: 7, object: ENTRY, severity: 'info' }],
    );
    assert.deepEqual(verdicts, { answered: 'pass' }, 'what is only worth knowing is no failure');
  });

  describe('of several files', () => {
    const files = (): string[] => [at('bad.irqtrace'), at('none.txt'), at('good.irqtrace'), at('bad.gz')];

    it('answers in the order given, and loses none for one that cannot be read', async () => {
      const { status, out, err } = await irqscope(['check', ...files(), '--json', ...ONLY]);
      assert.equal(status, 2);
      const views = JSON.parse(out) as CheckView[];
      assert.deepEqual(
        views.map(({ file, findings }) => [file, findings.length]),
        [
          [at('bad.irqtrace'), 1],
          [at('good.irqtrace'), 0],
          [at('bad.gz'), 1],
        ],
      );
      assert.match(err, /^irqscope: [^\n]*none\.txt: [^\n]*\n$/);
    });

    it('prints the same text as one after the other', async () => {
      const [bad, good] = [at('bad.irqtrace'), at('good.irqtrace')];
      const both = await irqscope(['check', bad, good, ...ONLY]);
      const one = await irqscope(['check', bad, ...ONLY]);
      const two = await irqscope(['check', good, ...ONLY]);
      assert.deepEqual(both, { status: 1, out: `${one.out}\n${two.out}`, err: '' });
    });

    it('joins them in one SARIF run, with why one is missing', async () => {
      const { status, out } = await irqscope(['check', ...files(), '--sarif', ...ONLY]);
      assert.equal(status, 2);
      const log = JSON.parse(out) as SarifLog;
      assert.deepEqual(schemaProblems(log, sarifSchema), []);
      const [run] = log.runs;
      assert.deepEqual([run.artifacts.length, run.results.length], [3, 2]);
      assert.equal(run.invocations[0]!.executionSuccessful, false);
      assert.match(run.invocations[0]!.toolExecutionNotifications![0]!.message.text, /none\.txt/);
    });
  });

  it('refuses what it does not know', async () => {
    const file = at('bad.irqtrace');
    for (const [args, why] of [
      [['--rule', 'INV-MASC'], /there is no rule INV-MASC; did you mean INV-MASK\?/],
      [['--severity', 'bad'], /--severity is one of error, security, warning, info, not bad/],
      [['--json', '--sarif'], /--json or --sarif, not both/],
      [['--rules', at('missing.json')], /missing\.json: no such file/],
      [['--rules', file], /bad\.irqtrace: no JSON: /],
    ] as const) {
      const { status, line } = await answered(['check', file, ...args]);
      assert.equal(status, 2);
      assert.match(line!, why);
    }
    assert.match((await answered(['check'])).line!, /check needs a FILE/);
  });
});
