import type * as vscode from 'vscode';
import { SESSION_VERSION, type SessionFile, type SessionSource } from '../../session/session-file.ts';
import type { GivenSource, OpenFile, OpenTrace } from './entry.ts';

/** What a session file says of an open trace: its sources with paths relative to the file, and where its user is. */
export function sessionOf(trace: OpenTrace, target: vscode.Uri): SessionFile {
  const { session } = trace;
  const { cursor, search, stops, lanes } = session;
  const bookmarks = stops.checkpoints.map(({ name, step }) => ({ step, name }));
  return {
    irqsession: SESSION_VERSION,
    sources: givenOf(trace).map((given) => sourceOf(trace, given, target)),
    ...(cursor < 0 ? {} : { cursor }),
    ...(search === undefined ? {} : { filter: search.text }),
    ...(bookmarks.length === 0 ? {} : { bookmarks }),
    ...(lanes === undefined ? {} : { lanes: [...lanes] }),
  };
}

/** What was given, that of the first file first: its clock is that of the trace. */
function givenOf({ files }: OpenTrace): GivenSource[] {
  const all = new Map<string, GivenSource>();
  for (const { given, skipped } of files) if (!skipped || given.kind !== 'file') all.set(given.uri.toString(), given);
  return [...all.values()];
}

function sourceOf({ session, files }: OpenTrace, given: GivenSource, target: vscode.Uri): SessionSource {
  // The clock of the first file is that of the trace: an offset from the time when it was not the first means nothing.
  const saidOf = (one: OpenFile | undefined): OpenFile['said'] => {
    const { offset, ...said } = one?.said ?? {};
    return one === files[0] || offset === undefined ? said : { ...said, offset };
  };
  const file = relative(given.uri, target);
  const own = files.filter((one) => one.given.uri.toString() === given.uri.toString());
  if (given.kind === 'file') {
    const source = session.trace.sources.find((s) => s.file === own[0]?.file && !s.derived);
    const system = source === undefined || source.system === '' ? {} : { system: source.system };
    const vantage = source === undefined || source.vantage === null ? {} : { vantage: source.vantage };
    return { file, ...system, ...vantage, ...saidOf(own[0]) };
  }
  const said = own.flatMap((one): [string, OpenFile['said'] & { skip?: boolean }][] => {
    const words = { ...saidOf(one), ...(one.skipped ? { skip: true } : {}) };
    return Object.keys(words).length === 0 ? [] : [[one.file.slice(given.name.length + 1), words]];
  });
  return { file, ...(said.length === 0 ? {} : { files: Object.fromEntries(said) }) };
}

/** The way from the folder of a file to another file; the whole address where there is none. */
function relative(to: vscode.Uri, from: vscode.Uri): string {
  if (to.scheme !== from.scheme || to.authority !== from.authority) return to.toString();
  const [there, here] = [to, from].map(({ path }) => path.split('/'));
  here!.pop();
  let common = 0;
  while (common < here!.length && common < there!.length - 1 && here![common] === there![common]) common++;
  // Nothing but the root in common, as with two drives: the whole path says more.
  if (common <= 1 && here!.length > 1) return to.path;
  return [...here!.slice(common).map(() => '..'), ...there!.slice(common)].join('/');
}
