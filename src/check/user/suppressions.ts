import * as v from 'valibot';
import { type DocumentProblem, issueProblem, jsonFault } from '../../base/json.ts';
import { faultPlace } from '../../base/json-place.ts';

/** One rule on one object in one trace file that the user does not want to be told of. */
const suppression = v.strictObject({
  rule: v.pipe(v.string(), v.description('Id of the rule.')),
  object: v.optional(v.pipe(v.string(), v.description('Path of the object; every object when left out.'))),
  file: v.optional(
    v.pipe(v.string(), v.description('The trace file, as seen from the workspace folder; every file when left out.')),
  ),
  reason: v.optional(v.pipe(v.string(), v.description('Why it is no fault.'))),
});

/** The file `.irqscope/suppressions.json`. */
export const suppressionsSchema = v.strictObject({
  $schema: v.optional(v.string()),
  suppressed: v.pipe(v.array(suppression), v.description('Findings that are listed apart, and counted nowhere.')),
});

export type Suppression = v.InferOutput<typeof suppression>;

/** The suppressions in the text of a file; or what is wrong with it. */
export function suppressionsIn(text: string): Suppression[] | { readonly problems: readonly DocumentProblem[] } {
  const body = text.replace(/^\uFEFF/, ' ');
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch (error) {
    const fault = jsonFault(error);
    return { problems: [{ ...faultPlace(body, fault), message: `no JSON: ${fault}` }] };
  }
  const result = v.safeParse(suppressionsSchema, document);
  if (result.success) return result.output.suppressed;
  return { problems: result.issues.map((issue) => issueProblem(body, issue)) };
}

/** The same; a text that says what is wrong with it. */
export function readSuppressions(text: string): Suppression[] | string {
  const read = suppressionsIn(text);
  return Array.isArray(read) ? read : read.problems[0]!.message;
}

/** What a suppression may hide: a rule, the path of its object, the trace file as suppressions name it. */
export interface Hidden {
  readonly rule: string;
  readonly object: string;
  readonly file: string;
}

/** Whether a suppression hides a finding. */
const hides = (s: Suppression, { rule, object, file }: Hidden): boolean =>
  s.rule === rule && (s.object === undefined || s.object === object) && (s.file === undefined || s.file === file);

/** Whether a finding is suppressed. */
export const isSuppressed = (all: readonly Suppression[], finding: Hidden): boolean =>
  all.some((s) => hides(s, finding));

/** The suppressions that hide a finding. */
export const hiding = (all: readonly Suppression[], finding: Hidden): Suppression[] =>
  all.filter((s) => hides(s, finding));

/** Whether a suppression hides other findings, too: those of other objects, or in other files. */
export const isBroad = ({ object, file }: Suppression): boolean => object === undefined || file === undefined;

/** The text of the file with one suppression more. Throws when the text is none. */
export const withSuppression = (text: string | undefined, added: Suppression): string =>
  changed(text ?? '', (all) => [...all, added]);

/** The text of the file without the suppressions that hide a finding; undefined when there are none. Throws when the text is none. */
export function withoutSuppression(text: string, finding: Hidden): string | undefined {
  const known = readSuppressions(text);
  if (typeof known !== 'string' && !isSuppressed(known, finding)) return undefined;
  return changed(text, (all) => all.filter((s) => !hides(s, finding)));
}

/** A text with other suppressions; what else it holds stays, with its indentation and its line breaks. Throws when the text is none. */
function changed(text: string, change: (all: readonly Suppression[]) => readonly Suppression[]): string {
  const known = text === '' ? [] : readSuppressions(text);
  if (typeof known === 'string') throw new Error(known);
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const body = text.slice(mark.length);
  const document = text === '' ? {} : (JSON.parse(body) as Readonly<Record<string, unknown>>);
  // The objects of the document, not those that were read: their keys keep their order.
  const all = (document.suppressed ?? []) as readonly Suppression[];
  const one = text !== '' && !body.trim().includes('\n');
  const indent = /^\s*\{\r?\n([ \t]+)/.exec(body)?.[1] ?? (one ? '' : '  ');
  const written = JSON.stringify({ ...document, suppressed: change(all) }, null, indent);
  const end = text === '' || text.endsWith('\n') ? '\n' : '';
  return mark + (text.includes('\r\n') ? `${written}${end}`.replaceAll('\n', '\r\n') : written + end);
}
