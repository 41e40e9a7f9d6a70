import * as vscode from 'vscode';
import type { Finding } from '../../check/check-trace.ts';
import { witnesses } from '../../check/report/view.ts';
import { isThrough } from '../../query/delivery/path.ts';
import { lacking } from '../../view/findings/explain.ts';
import { findingId } from '../../view/findings/rows.ts';
import type { Checked, Checks } from '../check/checks.ts';
import { type Chosen, chosenBy } from '../check/finding-argument.ts';
import type { FindingsView } from '../check/findings-view.ts';
import { readLines } from '../check/lines.ts';
import type { UserFiles } from '../check/user-files.ts';
import { showInfo, showWarning } from '../message.ts';
import { breathe, type Platform } from '../platform.ts';
import type { FileArgument } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { showText } from '../text.ts';
import { type Handlers, say } from './handlers.ts';
import { complain, type Find } from './sim-services.ts';

/** How often the window says how far reading and checking are, in milliseconds. */
const TELL_MS = 250;

/** What the commands about findings use. */
export interface FindingServices {
  readonly sessions: Sessions;
  readonly checks: Checks;
  readonly files: UserFiles;
  readonly findings: FindingsView;
  readonly platform: Platform;
  readonly log: vscode.LogOutputChannel;
  readonly version: string;
}

/** Commands about findings. Each takes a finding (a row, or `{rule, step, object?}`), then the trace. */
export function findingCommands(services: FindingServices, find: Find): Handlers {
  const { sessions, checks, findings } = services;
  /** The finding that is asked about: the argument, else what is selected in the view, else the worst one. */
  const about = async (argument: unknown, file: FileArgument | undefined): Promise<Chosen | undefined> => {
    const trace = find(isTree(file) ? undefined : file);
    if (!trace) return undefined;
    const named = (): Chosen | undefined =>
      chosenBy(checks, trace, argument) ??
      (argument === undefined && trace === sessions.active
        ? chosenBy(checks, trace, findings.tree.selection[0])
        : undefined);
    // What is known already does not wait for the rest of the check.
    const known = named();
    if (known) return known;
    const checked = await wholeCheck(checks, trace);
    const chosen = named();
    if (chosen) return chosen;
    const [worst] = checked?.findings ?? [];
    if (argument !== undefined || !worst) say(argument === undefined ? noFinding(checked) : 'there is no such finding');
    return argument === undefined && worst ? { trace, finding: worst, step: worst.step } : undefined;
  };
  const go = async ({ trace, finding, step }: Chosen): Promise<number | undefined> => {
    if (!sessions.all.includes(trace)) return undefined;
    sessions.activate(trace);
    const reached = trace.session.move({ to: 'step', step });
    trace.session.select(trace.session.trace.world.path(finding.object));
    await showText(trace).catch((error: unknown) => services.log.warn(`${trace.label}: ${error}`));
    return typeof reached === 'number' ? reached : undefined;
  };
  const stop = async (argument?: unknown, file?: FileArgument): Promise<true | undefined> => {
    const trace = find(isTree(file) ? undefined : file);
    const chosen = trace && (await suppressedBy(services, trace, argument));
    if (!chosen) return undefined;
    const { rule, object: id } = chosen;
    const what = { rule: rule.id, object: trace.session.trace.world.path(id) };
    if (!(await agrees(services.files, trace, what))) return undefined;
    try {
      await services.files.stopSuppressing(trace.uri, what);
      say(`${what.rule} of ${what.object} is told again`);
      return true;
    } catch (error) {
      complain(services.log, 'The finding stays suppressed', error);
      return undefined;
    }
  };
  const goToFinding = async (argument?: unknown, file?: FileArgument): Promise<number | undefined> => {
    const trace = find(isTree(file) ? undefined : file);
    if (!trace) return undefined;
    const chosen = argument === undefined ? await pick(checks, trace) : await about(argument, file);
    return chosen && go(chosen);
  };
  return {
    goToFinding,
    goToFindingRow: goToFinding,
    whyNot: async (file?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const checked = await wholeCheck(checks, trace);
      const [worst] = checked?.findings ?? [];
      if (!checked || !worst) {
        tellBlind(trace, checked);
        return undefined;
      }
      const step = await go({ trace, finding: worst, step: worst.step });
      // Who asks why an interrupt was lost sees its way up to there, too.
      if (worst.lost) showWay(trace, worst);
      await findings.reveal(findingId(worst), false);
      tellWorst(trace, worst);
      return step;
    },
    suppressFinding: async (argument?: unknown, file?: FileArgument) => {
      const chosen = await about(argument, file);
      if (!chosen) return undefined;
      const { trace, finding } = chosen;
      const object = trace.session.trace.world.path(finding.object);
      try {
        await services.files.suppress(trace.uri, { rule: finding.rule.id, object });
        say(`${finding.rule.id} of ${object} is suppressed in this file`);
        return true;
      } catch (error) {
        complain(services.log, 'The finding cannot be suppressed', error);
        return undefined;
      }
    },
    stopSuppressing: stop,
    stopSuppressingRow: stop,
    copyReport: async (argument?: unknown, file?: FileArgument) => {
      const chosen = await about(argument, file);
      if (!chosen) return undefined;
      const { trace, finding } = chosen;
      const textOf = await readLines(services.platform, trace, witnesses(finding));
      const { reportMarkdown } = await import('../../check/report/markdown.ts');
      const text = reportMarkdown(trace.session.trace, finding, textOf, services.version);
      await vscode.env.clipboard.writeText(text);
      say('the report is on the clipboard');
      return text;
    },
  };
}

/** Whether the second argument of a command is what the editor passes to commands of trees: the selected rows. */
const isTree = (value: unknown): boolean => Array.isArray(value);

/** What the rules say of all of a trace, with a sign of progress where that takes a while. */
async function wholeCheck(checks: Checks, trace: OpenTrace): Promise<Checked | undefined> {
  await breathe();
  const whole = checks.whole(trace);
  const options = { location: vscode.ProgressLocation.Window, title: 'Findings' };
  void vscode.window.withProgress(options, async (progress) => {
    const tell = (): void => {
      const share = trace.load === 'loading' ? trace.progress : (checks.of(trace)?.share ?? 0);
      const percent = share === undefined ? '' : ` ${Math.floor(share * 100)} %`;
      progress.report({ message: `${trace.load === 'loading' ? 'reading' : 'checking'} ${trace.label}${percent}` });
    };
    tell();
    const timer = setInterval(tell, TELL_MS);
    await whole.finally(() => clearInterval(timer));
  });
  return vscode.window.withProgress({ location: { viewId: 'irqscope.findings' } }, () => whole);
}

const noFinding = (checked: Checked | undefined): string =>
  checked === undefined ? 'there is nothing to judge in this trace' : checked.summary;

/** Asks for a finding. */
async function pick(checks: Checks, trace: OpenTrace): Promise<Chosen | undefined> {
  const checked = await wholeCheck(checks, trace);
  const findings = checked?.findings ?? [];
  if (findings.length === 0) return void say(noFinding(checked));
  const finding = await pickFrom(findings, `Findings in ${trace.label}`);
  return finding && { trace, finding, step: finding.step };
}

/** Asks for one of some findings. */
async function pickFrom(findings: readonly Finding[], title: string): Promise<Finding | undefined> {
  const items = findings.map((finding) => ({
    label: finding.title,
    description: `${finding.rule.id}, step ${finding.step}`,
    detail: finding.text,
    finding,
  }));
  const options = { title, matchOnDescription: true, matchOnDetail: true };
  return (await vscode.window.showQuickPick(items, options))?.finding;
}

/** The suppressed finding that is asked about: the argument, else what is selected in the view, else the one that the user picks. */
async function suppressedBy(
  { checks, findings, sessions }: FindingServices,
  trace: OpenTrace,
  argument: unknown,
): Promise<Finding | undefined> {
  const isOne = (finding: Finding | undefined): boolean =>
    finding !== undefined && checks.of(trace)?.suppressed.some((one) => findingId(one) === findingId(finding)) === true;
  const selected = argument === undefined && trace === sessions.active ? findings.tree.selection[0] : argument;
  const known = chosenBy(checks, trace, selected)?.finding;
  if (isOne(known)) return known;
  const { suppressed } = (await wholeCheck(checks, trace)) ?? { suppressed: [] };
  if (argument === undefined)
    return suppressed.length > 0
      ? pickFrom(suppressed, `Suppressed in ${trace.label}`)
      : void say(`no finding in ${trace.label} is suppressed`);
  const found = chosenBy(checks, trace, argument)?.finding;
  return isOne(found) ? found : void say('this finding is not suppressed');
}

/** Whether the user agrees that an entry of the file goes that hides more than one object in one file. Such an entry is written by hand. */
async function agrees(files: UserFiles, trace: OpenTrace, what: { rule: string; object: string }): Promise<boolean> {
  const { hiding, isBroad } = await import('../../check/user/suppressions.ts');
  const { all, file } = files.suppressionsFor(trace.uri);
  const broad = hiding(all, { ...what, file }).filter(isBroad);
  if (broad.length === 0) return true;
  const told = broad.map(({ object, file: of, reason }) => {
    const where = `${object ?? 'every object'} in ${of ?? 'every file'}`;
    return reason === undefined ? where : `${where} (${reason})`;
  });
  const go = 'Stop Suppressing';
  const text = `What suppresses ${what.rule} here suppresses it for ${told.join(', and for ')}. It is told again for all of them.`;
  return (await showWarning(text, go)) === go;
}

/** Shows the delivery that a finding is about: the one that one of its events is a hop of. */
function showWay({ session }: OpenTrace, finding: Finding): void {
  const events = witnesses(finding);
  const path = session.showWay(finding.step, events);
  if ('refused' in path || !isThrough(path, [finding.step, ...events])) session.hidePath();
}

/** Says what the worst finding is; its path and its report are one click away. */
function tellWorst(trace: OpenTrace, finding: Finding): void {
  const path = 'Show Delivery Path';
  const copy = 'Copy as Report';
  const { rule, title, text, step, object } = finding;
  void showInfo(`${rule.id}: ${title}. ${text}`, path, copy).then((choice) => {
    if (choice === path)
      void vscode.commands.executeCommand('irqscope.showPath', { step, events: witnesses(finding) }, trace.uri);
    if (choice === copy)
      void vscode.commands.executeCommand('irqscope.copyReport', { rule: rule.id, step, object }, trace.uri);
  });
}

/** Says that the rules found nothing, which of them could not judge, and what would let them. */
function tellBlind(trace: OpenTrace, checked: Checked | undefined): void {
  if (checked === undefined) {
    say(noFinding(checked));
    return;
  }
  const { blind, holds, summary } = checked;
  const parts = [`${trace.label}: ${summary}.`];
  if (blind.length > 0) {
    const [first] = blind;
    parts.push(`${first!.title} (${first!.id}): ${lacking(first!, holds)} What would help: ${first!.confirm}.`);
    parts.push('The view Findings lists the others.');
  }
  void showInfo(parts.join(' '));
}
