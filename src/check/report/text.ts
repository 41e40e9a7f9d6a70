import type { FindingView } from './view.ts';
import type { Witness } from './witness.ts';

/** Characters of a line of explaining text. */
const WIDTH = 100;

/** Text in lines of at most so many characters, each with an indent. */
function folded(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((w) => w !== '')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(indent + line);
  return lines;
}

/** A finding as lines of text that one pastes into a bug report: what, where, the lines of the source, what would confirm it. */
export function findingText(finding: FindingView, witnesses: readonly Witness[]): string[] {
  const { severity, rule, names, title, step, time, object } = finding;
  return [
    `${severity}: ${[rule, ...names].join(' ')}: ${title}`,
    `  at step ${step}${time === null ? '' : `, time ${time}`}, ${object}`,
    ...folded(finding.explanation, '  '),
    '  evidence:',
    ...witnesses.map(({ file, line, text }) => `    ${file}:${line}: ${text}`),
    ...folded(`reference: ${finding.reference}`, '  '),
    ...folded(`to confirm: ${finding.confirm}`, '  '),
  ];
}
