import * as v from 'valibot';
import { documentFault, issueText, jsonFault } from '../base/json.ts';

/** The file cannot be read as a session; `message` says where and why. */
export class SessionFileError extends Error {}

/** Version of the format. */
export const SESSION_VERSION = 1;

/** Bytes that a session file holds at most. */
const MOST_TEXT = 1 << 22;

const text = (meaning: string) => v.pipe(v.string(), v.nonEmpty(), v.description(meaning));
const step = (meaning: string) => v.pipe(v.number(), v.integer(), v.minValue(0), v.description(meaning));

const settings = {
  system: v.optional(text('Name of the machine whose interrupts it tells; left out: found from its content.')),
  vantage: v.optional(
    v.pipe(v.picklist(['kernel', 'hardware', 'hypervisor']), v.description('From where it was recorded.')),
  ),
  offset: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[+-]?\d+(\.\d{1,9})?$/, 'a number of seconds, such as "-12.5", was expected'),
      v.description(
        'Seconds that are added to its times to get those of the first source; left out: found from its content.',
      ),
    ),
  ),
};

const source = v.strictObject({
  file: text('Path of the file, folder or archive, relative to the session file.'),
  ...settings,
  files: v.optional(
    v.pipe(
      v.record(v.string(), v.strictObject({ ...settings, skip: v.optional(v.boolean()) })),
      v.description(
        'Of a folder or an archive: the same of single files in it, by their path there or the end of it; those with `skip` are no part of the trace.',
      ),
    ),
  ),
});

/** The session file (`.irqsession`): what is opened together, and where one was. */
export const sessionFileSchema = v.strictObject({
  $schema: v.optional(v.string()),
  irqsession: v.pipe(v.literal(SESSION_VERSION), v.description('Version of the format.')),
  sources: v.pipe(
    v.array(source),
    v.minLength(1, 'at least one source was expected'),
    v.maxLength(1000, 'at most 1000 sources were expected'),
    v.description('What is opened together; the clock of the first one is that of the trace.'),
  ),
  cursor: v.optional(step('The step at the cursor.')),
  filter: v.optional(text('The filter of the timeline.')),
  bookmarks: v.optional(
    v.array(v.strictObject({ step: step('The step that is marked.'), name: v.optional(text('What it is called.')) })),
  ),
  lanes: v.optional(
    v.pipe(v.array(v.string()), v.description('Paths of the objects that the timeline shows, in order.')),
  ),
});

/** A session as it stands in its file. */
export type SessionFile = v.InferOutput<typeof sessionFileSchema>;

/** What is said of a source, and of single files in it. */
export type SessionSource = SessionFile['sources'][number];

/** What is said of a source or of a file in it: the words for that file come before those for all. */
export type SourceSettings = Pick<SessionSource, 'system' | 'vantage' | 'offset'>;

/** The same of a file in a source, and whether it is left out. */
export type FileSettings = SourceSettings & { readonly skip?: boolean | undefined };

/** What a session says of a file that was read from one of its sources. `file`: its path, such as `run.tar/kit/trace.dat`. */
export function settingsFor({ system, vantage, offset, files }: SessionSource, file: string): FileSettings {
  const own = Object.entries(files ?? {}).find(([name]) => file === name || file.endsWith(`/${name}`))?.[1];
  return { system, vantage, offset, ...own };
}

/** Whether a file begins like a session file. */
export const isSessionFile = (head: string): boolean => /^\uFEFF?\s*\{[\s\S]*"irqsession"\s*:/.test(head);

/** Reads the text of a session file; throws SessionFileError. */
export function readSessionFile(content: string): SessionFile {
  if (content.length > MOST_TEXT) throw new SessionFileError('the file is larger than 4 MB');
  let document: unknown;
  try {
    document = JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new SessionFileError(`no JSON: ${jsonFault(error)}`);
  }
  const result = v.safeParse(sessionFileSchema, document, { abortPipeEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new SessionFileError(documentFault(v.getDotPath(issue), issueText(issue)));
}

/** The text of a session file. */
export const sessionFileText = (session: SessionFile): string => `${JSON.stringify(session, undefined, 2)}\n`;
