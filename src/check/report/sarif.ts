import type { Rule, Severity } from '../rule.ts';
import type { CheckView, FindingView } from './view.ts';
import type { Witness } from './witness.ts';

// SARIF 2.1.0 (OASIS), only what is written here.

/** A text of SARIF. */
interface Text {
  readonly text: string;
}

interface PhysicalLocation {
  readonly artifactLocation: { readonly uri: string };
  readonly region?: { readonly startLine: number; readonly snippet?: Text };
  /** Of a file that is no text: the number of the record. */
  readonly properties?: { readonly record: number };
}

interface Location {
  readonly id?: number;
  readonly physicalLocation: PhysicalLocation;
  readonly logicalLocations?: readonly { readonly fullyQualifiedName: string; readonly kind: string }[];
  readonly message?: Text;
}

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: Level;
  readonly message: Text;
  readonly locations: readonly Location[];
  readonly relatedLocations: readonly Location[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, unknown>>;
}

interface Run {
  readonly tool: { readonly driver: Readonly<Record<string, unknown>> };
  readonly columnKind: 'utf16CodeUnits';
  readonly artifacts: readonly { readonly location: { readonly uri: string } }[];
  readonly invocations: readonly Invocation[];
  readonly results: readonly Result[];
}

interface Invocation {
  readonly executionSuccessful: boolean;
  readonly toolExecutionNotifications?: readonly { readonly level: Level; readonly message: Text }[];
}

type Level = 'error' | 'warning' | 'note';

/** A log of one run. */
export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly [Run];
}

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

const LEVELS: Readonly<Record<Severity, Level>> = {
  error: 'error',
  security: 'error',
  warning: 'warning',
  info: 'note',
};

/** The address of a file as SARIF wants it: relative ones stay so, with `/` and escapes. */
export function fileUri(file: string): string {
  const path = /^[A-Za-z]:[\\/]|^\\\\/.test(file) ? `/${file.replaceAll('\\', '/')}` : file;
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${encoded.replace(/^\/([A-Za-z])%3A/, '/$1:')}` : encoded;
}

function ruleDescriptor(rule: Rule): Readonly<Record<string, unknown>> {
  return {
    id: rule.id,
    name: rule.title,
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.meaning },
    help: { text: `${rule.meaning}\n\nReference: ${rule.reference}\nTo confirm: ${rule.confirm}` },
    defaultConfiguration: { level: LEVELS[rule.severity] },
    properties: { tags: [rule.severity, ...rule.names] },
  };
}

function locationOf({ file, line, binary, text, verbatim }: Witness): PhysicalLocation {
  const artifactLocation = { uri: fileUri(file) };
  // A file that is no text has no lines (SARIF 2.1.0, 3.30.1).
  if (binary) return { artifactLocation, properties: { record: line } };
  return {
    artifactLocation,
    region: { startLine: Math.max(1, line), ...(verbatim ? { snippet: { text } } : {}) },
  };
}

function resultOf(finding: FindingView, witnesses: readonly Witness[], ruleIndex: number, fingerprint: string): Result {
  const { rule, severity, title, step, time, object, explanation, confirm } = finding;
  const own = witnesses.find((w) => w.step === step)!;
  const others = witnesses.filter((w) => w !== own);
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[severity],
    message: { text: `${title}. ${explanation}` },
    locations: [
      {
        physicalLocation: locationOf(own),
        logicalLocations: [{ fullyQualifiedName: object, kind: 'object' }],
      },
    ],
    relatedLocations: others.map((witness, i) => ({
      id: i + 1,
      physicalLocation: locationOf(witness),
      message: { text: `step ${witness.step}${witness.time === null ? '' : `, time ${witness.time}`}` },
    })),
    partialFingerprints: { 'irqscope/1': fingerprint },
    properties: { severity, step, ...(time === null ? {} : { time }), object, confirm },
  };
}

/**
 * The findings of one file as a SARIF log. A finding keeps its fingerprint (rule, object, and how many of the same came before it)
 * from one recording of the same machine to the next.
 */
export function sarifLog(
  version: string,
  rules: readonly Rule[],
  view: CheckView,
  witnessesOf: (finding: FindingView) => readonly Witness[],
): SarifLog {
  const seen = new Map<string, number>();
  const results = view.findings.map((finding) => {
    const what = `${finding.rule} ${finding.object}`;
    const times = (seen.get(what) ?? 0) + 1;
    seen.set(what, times);
    const index = rules.findIndex(({ id }) => id === finding.rule);
    return resultOf(finding, witnessesOf(finding), index, `${what} ${times}`);
  });
  return sarifOf(version, rules, [view.file], results, []);
}

function sarifOf(
  version: string,
  rules: readonly Rule[],
  files: readonly string[],
  results: readonly Result[],
  problems: readonly string[],
): SarifLog {
  const driver = { name: 'IRQScope', version, rules: rules.map(ruleDescriptor) };
  const run: Run = {
    tool: { driver },
    columnKind: 'utf16CodeUnits',
    artifacts: files.map((file) => ({ location: { uri: fileUri(file) } })),
    invocations: [
      {
        executionSuccessful: problems.length === 0,
        ...(problems.length === 0
          ? {}
          : {
              toolExecutionNotifications: problems.map((text) => ({ level: 'error' as const, message: { text } })),
            }),
      },
    ],
    results,
  };
  return { $schema: SCHEMA, version: '2.1.0', runs: [run] };
}

/** Logs of several files as one; `problems`: why files are missing in it. Each result keeps its rule. */
export function joinedLog(version: string, logs: readonly SarifLog[], problems: readonly string[]): SarifLog {
  const empty = sarifOf(version, [], [], [], problems);
  const [first] = logs;
  const run = {
    ...empty.runs[0],
    ...(first === undefined ? {} : { tool: first.runs[0].tool }),
    artifacts: logs.flatMap(({ runs }) => runs[0].artifacts),
    results: logs.flatMap(({ runs }) => runs[0].results),
  };
  return { ...empty, runs: [run] };
}
