import * as vscode from 'vscode';
import type { Finding } from '../../check/check-trace.ts';
import { witnesses } from '../../check/report/view.ts';
import type { Severity } from '../../check/rule.ts';
import { eventText } from '../../query/events.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { lineRange, placeOf } from '../text-place.ts';
import type { Checks } from './checks.ts';

/** What a diagnostic of this extension says is its source. */
export const SOURCE = 'IRQScope';

/** Most problems of one trace: the editor shows no more of one file. */
const MOST = 1000;

const SEVERITIES: Readonly<Record<Severity, vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  security: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
};

/** A problem of the editor that is a finding. */
export class FindingDiagnostic extends vscode.Diagnostic {
  readonly trace: OpenTrace;
  readonly finding: Finding;

  constructor(trace: OpenTrace, finding: Finding, docs: vscode.Uri | undefined) {
    super(
      lineRange(placeOf(trace, finding.step).line),
      `${finding.title}. ${finding.text}`,
      SEVERITIES[finding.severity],
    );
    this.trace = trace;
    this.finding = finding;
    this.source = SOURCE;
    const { id } = finding.rule;
    this.code = docs ? { value: id, target: docs.with({ fragment: id.toLowerCase() }) } : id;
    const events = trace.session.trace;
    this.relatedInformation = witnesses(finding)
      .filter((step) => step !== finding.step)
      .map((step) => {
        const { uri, line } = placeOf(trace, step);
        const place = new vscode.Location(uri, lineRange(line));
        return new vscode.DiagnosticRelatedInformation(place, `step ${step}: ${eventText(events, step)}`);
      });
  }
}

/** The findings of all open traces in the Problems panel, each at the line that shows it. */
export class Problems implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection('irqscope');
  readonly #docs: vscode.Uri;
  readonly #checks: Checks;
  readonly #watch: vscode.Disposable;
  /** The files in which a trace has problems. */
  readonly #files = new Map<OpenTrace, readonly vscode.Uri[]>();
  /** The problems of each file, of all traces, by its address. */
  readonly #byFile = new Map<string, readonly FindingDiagnostic[]>();
  /** The findings that were told of a trace last. */
  readonly #told = new Map<OpenTrace, readonly Finding[]>();

  constructor(sessions: Sessions, checks: Checks, extension: vscode.Uri) {
    this.#docs = vscode.Uri.joinPath(extension, 'docs', 'findings.md');
    this.#checks = checks;
    this.#watch = vscode.Disposable.from(
      checks.onDidChange((trace) => this.#show(trace)),
      sessions.onDidChange(({ what, trace }) => {
        if (what === 'closed') this.#remove(trace);
      }),
    );
  }

  /** The findings at a place of a text. */
  at(uri: vscode.Uri, range: vscode.Range): readonly FindingDiagnostic[] {
    const all = this.#byFile.get(uri.toString()) ?? [];
    return all.filter((one) => one.range.intersection(range) !== undefined);
  }

  dispose(): void {
    vscode.Disposable.from(this.#watch, this.#collection).dispose();
  }

  #remove(trace: OpenTrace): void {
    for (const uri of this.#files.get(trace) ?? [])
      this.#put(
        uri,
        (this.#byFile.get(uri.toString()) ?? []).filter((one) => one.trace !== trace),
      );
    this.#files.delete(trace);
    this.#told.delete(trace);
  }

  /** Another trace may have problems in the same file: one that a source was joined to, beside that source alone. */
  #put(uri: vscode.Uri, all: readonly FindingDiagnostic[]): void {
    if (all.length === 0) {
      this.#collection.delete(uri);
      this.#byFile.delete(uri.toString());
    } else {
      this.#collection.set(uri, all);
      this.#byFile.set(uri.toString(), all);
    }
  }

  #show(trace: OpenTrace): void {
    const findings = this.#checks.of(trace)?.findings;
    if (findings === undefined) {
      this.#remove(trace);
      return;
    }
    const before = this.#told.get(trace);
    if (before?.length === findings.length && before.every((finding, i) => finding === findings[i])) return;
    const docs = ({ rule }: Finding): vscode.Uri | undefined =>
      this.#checks.documented(rule) ? this.#docs : undefined;
    const byFile = new Map<string, { readonly uri: vscode.Uri; readonly all: FindingDiagnostic[] }>();
    for (const finding of findings.slice(0, MOST)) {
      const { uri } = placeOf(trace, finding.step);
      const diagnostic = new FindingDiagnostic(trace, finding, docs(finding));
      const known = byFile.get(uri.toString());
      if (known) known.all.push(diagnostic);
      else byFile.set(uri.toString(), { uri, all: [diagnostic] });
    }
    this.#remove(trace);
    for (const { uri, all } of byFile.values()) this.#put(uri, [...(this.#byFile.get(uri.toString()) ?? []), ...all]);
    this.#files.set(
      trace,
      [...byFile.values()].map(({ uri }) => uri),
    );
    this.#told.set(trace, findings);
  }
}
