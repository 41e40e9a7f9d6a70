// The list of findings as rows, and a finding as a report.
import assert from 'node:assert/strict';
import { checkTrace } from '../../src/check/check-run.ts';
import type { Finding } from '../../src/check/check-trace.ts';
import { reportMarkdown } from '../../src/check/report/markdown.ts';
import { summaryLine } from '../../src/check/report/summary.ts';
import { findingText } from '../../src/check/report/text.ts';
import { findingView } from '../../src/check/report/view.ts';
import { witnessesOf } from '../../src/check/report/witness.ts';
import type { Rule } from '../../src/check/rule.ts';
import { ruleNamed } from '../../src/check/rules.ts';
import { lacking } from '../../src/view/findings/explain.ts';
import { type FindingRow, findingRows, rowWithId, topFinding } from '../../src/view/findings/rows.ts';
import { importBytes } from '../helpers/fixtures.ts';
import { ENTRY, lineOf, maskedSend, STEPS, textOfStep } from '../helpers/masked-send.ts';

const F03 = ruleNamed('F03')!;
const trace = importBytes(Buffer.from(maskedSend()));
const [found] = checkTrace(trace, [F03]).findings as [Finding];

/** The finding as one of another rule, severity or step. */
const like = (rule: Partial<Rule>, of: Partial<Finding> = {}): Finding => ({
  ...found,
  ...of,
  rule: { ...F03, ...rule },
});

const outline = (rows: readonly FindingRow[]): unknown[] =>
  rows.map(({ kind, label, description, below }) =>
    kind === 'finding' ? [kind, label, description] : [kind, label, description, outline(below)],
  );

describe('rows of findings', () => {
  const other = { ...F03, id: 'X1', title: 'Another rule' };
  const twice = [like(other, { rule: other, severity: 'warning', step: 1, title: 'one' })];
  twice.push({ ...twice[0]!, step: 2, title: 'two' });
  const listed = {
    findings: [...twice, found],
    suppressed: [like({}, { step: 4, title: 'hidden' })],
    blind: [ruleNamed('F01')!],
  };
  const rows = findingRows(trace, listed);

  it('stand by severity, the worst first; several of one rule below a row of that rule', () => {
    assert.deepEqual(outline(rows), [
      ['severity', 'Errors', '1', [['finding', F03.title, `${found.title} · F03 · 0.000008000`]]],
      [
        'severity',
        'Warnings',
        '2',
        [
          [
            'rule',
            'Another rule',
            'X1 · 2',
            [
              ['finding', '1 · #1 of 03:00.0', 'one · X1 · 0.000001000'],
              ['finding', '2 · #1 of 03:00.0', 'two · X1 · 0.000002000'],
            ],
          ],
        ],
      ],
      ['suppressed', 'Suppressed', '1', [['finding', F03.title, 'hidden · F03 · 0.000004000']]],
      ['blind', 'Blind', '1 rule', [['lack', ruleNamed('F01')!.title, 'F01', []]]],
    ]);
  });

  it('have ids of their own, and know the row above them', () => {
    const ids: string[] = [];
    const look = (list: readonly FindingRow[], parent: FindingRow | undefined): void => {
      for (const row of list) {
        ids.push(row.id);
        assert.equal(row.parent, parent);
        assert.equal(rowWithId(rows, row.id), row);
        look(row.below, row);
      }
    };
    look(rows, undefined);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(topFinding(rows)?.finding, found);
    assert.equal(topFinding(findingRows(trace, { ...listed, findings: [] })), undefined);
  });

  it('of a rule that cannot judge say what the trace lacks', () => {
    assert.match(
      lacking({ ...F03, needsAll: true }, () => true),
      /every cause and every message/,
    );
    assert.equal(
      lacking(F03, () => false),
      'The trace holds no send.',
    );
    assert.match(
      lacking(F03, () => true),
      /lost events/,
    );
  });
});

describe('a finding in words', () => {
  const lines = maskedSend().split('\n');
  const textOf = (file: string, line: number): string | undefined =>
    file === trace.first.file ? lines[line - 1] : '?';

  it('is a text with the lines of the file', () => {
    const text = findingText(findingView(trace, found), witnessesOf(trace, found, textOf));
    const file = trace.first.file;
    assert.equal(text[0], `error: F03 INV-MASK I-P1: ${found.title}`);
    assert.equal(text[1], `  at step ${STEPS.send}, time 0.000008000, ${ENTRY}`);
    for (const step of [STEPS.fn, STEPS.mask, STEPS.send])
      assert.ok(text.includes(`    ${file}:${lineOf(step)}: ${textOfStep(step)}`));
  });

  it('is a report with state and facts, in which no text of the trace is markup', () => {
    const text = reportMarkdown(trace, found, () => 'a ```` fence | <b>', '1.2.3');
    assert.match(text, /^`````text$/m);
    assert.match(text, /\| `device\/0000:03:00\.0\/msix\/1` \| control \| 0x1 \(mask=1\) \|/);
    assert.match(text, /\| `device\/0000:03:00\.0` \|/);
    assert.doesNotMatch(text, /\| \? \|$/m, 'what is not known has one row for each object');
    assert.match(text, /\| `device\/0000:03:00\.0` \| not known \| .*\bdriver\b.* \|/);
    assert.match(text, /^\| format \| irqtrace/m);
    assert.match(text, /^\| events \| 9 \|$/m);
    assert.match(text, /^IRQScope 1\.2\.3$/m);
    const hostile = { ...found, title: 'a | <script> *b*' };
    assert.match(reportMarkdown(trace, hostile, textOf, '1'), /^## a \| \\<script\\> \\\*b\\\*$/m);
  });

  it('shows the delivery that it is about, and leaves names with underscores readable', () => {
    const text = reportMarkdown(
      trace,
      like({}, { confirm: 'a kprobe on pci_irq_mask_msix, _not_ on __x' }),
      () => '',
      '1',
    );
    const [, way] = /### Delivery path .*\n\n```text\n([\s\S]*?)```/.exec(text) ?? [];
    const lines = (way ?? '').trim().split('\n');
    assert.match(lines[0] ?? '', new RegExp(`^\\s*7 .*cause +${ENTRY} `));
    assert.match(lines[1] ?? '', new RegExp(`^\\s*${STEPS.send} .*message +${ENTRY} .*0xfee00000/0x21`));
    assert.match(text, /^To confirm: a kprobe on pci_irq_mask_msix, \\_not\\_ on \\_\\_x$/m);
    // None of the events of this one is a hop.
    assert.ok(
      !reportMarkdown(trace, like({}, { step: STEPS.fn, evidence: [STEPS.mask] }), () => '', '1').includes(
        'Delivery path',
      ),
    );
  });

  it('is counted in one line', () => {
    const item = (title: string, severity: Finding['severity'], step: number, lost = false) => ({
      title,
      severity,
      lost,
      step,
      rule: 'F03',
    });
    const decided = { decided: 41, blind: 12 };
    assert.equal(summaryLine([], decided), 'no findings, 41 rules decided, 12 blind');
    assert.equal(summaryLine([item('a', 'error', 1)], decided), '1 finding, worst: F03 a');
    const three = [item('a', 'warning', 1), item('b', 'security', 9), item('c', 'security', 4)];
    assert.equal(summaryLine(three, decided), '3 findings, worst: F03 c');
    // Of two errors, the one that lost an interrupt.
    const errors = [item('a', 'error', 1), item('b', 'error', 9, true)];
    assert.equal(summaryLine(errors, decided), '2 findings, worst: F03 b');
  });
});
