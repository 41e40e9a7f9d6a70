import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import { code, plain } from '../../view/outline/explain.ts';
import type { Sessions } from '../sessions.ts';
import type { Checks } from './checks.ts';

/** Characters of the summary that the status bar has room for. */
const LONGEST = 70;

const clip = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text);

/** The item of the status bar that says what is wrong in the active trace. */
export function showFindingsStatus(sessions: Sessions, checks: Checks): vscode.Disposable {
  const item = vscode.window.createStatusBarItem('irqscope.findings', vscode.StatusBarAlignment.Left, 49);
  item.name = 'IRQScope: Findings';
  item.command = { command: 'irqscope.whyNot', title: 'Why Did My Interrupt Not Arrive?' };
  const update = (): void => {
    const { active } = sessions;
    const checked = checks.of(active);
    if (!active || !checked) {
      item.hide();
      return;
    }
    const { findings, summary, done, share, decided, suppressed, failed } = checked;
    const icon =
      failed !== undefined
        ? 'error'
        : findings.length === 0
          ? 'pass'
          : findings[0]!.severity === 'info'
            ? 'info'
            : 'warning';
    item.text = done ? `$(${icon}) ${clip(summary)}` : `$(sync~spin) checking ${Math.floor(share * 100)} %`;
    item.accessibilityInformation = { label: `IRQScope: ${done ? summary : 'checking'}` };
    const counts = `${counted(decided.decided, 'rule')} decided, ${decided.blind} blind, ${counted(suppressed.length, 'finding')} suppressed`;
    const lines = findings.slice(0, 5).map(({ rule, title }) => `- ${code(rule.id)} ${plain(title)}`);
    item.tooltip = new vscode.MarkdownString(
      [`**${plain(active.label)}**`, lines.join('\n'), plain(counts)].filter((text) => text !== '').join('\n\n'),
    );
    item.show();
  };
  update();
  return vscode.Disposable.from(
    item,
    checks.onDidChange(update),
    sessions.onDidChange(({ what }) => {
      if (what === 'active' || what === 'closed') update();
    }),
  );
}
