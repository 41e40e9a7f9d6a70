import * as v from 'valibot';

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

/** The suppressions in the text of a file; a text that says what is wrong with it. */
export function readSuppressions(text: string): Suppression[] | string {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return `no JSON: ${(error as Error).message}`;
  }
  const result = v.safeParse(suppressionsSchema, document);
  if (result.success) return result.output.suppressed;
  const [issue] = result.issues;
  return `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`;
}

/** Whether a finding is suppressed. */
export const isSuppressed = (
  all: readonly Suppression[],
  { rule, object, file }: { readonly rule: string; readonly object: string; readonly file: string },
): boolean =>
  all.some(
    (s) =>
      s.rule === rule && (s.object === undefined || s.object === object) && (s.file === undefined || s.file === file),
  );

/** The text of the file with one suppression more. Throws when the text is none. */
export function withSuppression(text: string | undefined, added: Suppression): string {
  const known = text === undefined ? [] : readSuppressions(text);
  if (typeof known === 'string') throw new Error(known);
  return `${JSON.stringify({ suppressed: [...known, added] }, null, 2)}\n`;
}
