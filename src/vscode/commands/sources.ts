import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import { nanoseconds } from '../../import/files/seconds.ts';
import { joinedInfo } from '../../query/info.ts';
import type { Source } from '../../trace/source.ts';
import type { Opener } from '../opening.ts';
import { writeWhole } from '../safe-write.ts';
import { type FileArgument, toUri } from '../selected.ts';
import { BRANCH_SCHEME, type OpenTrace, type Sessions } from '../sessions.ts';
import { baseName, type OpenFile } from '../sources/entry.ts';
import type { Follower } from '../sources/follow.ts';
import { saidOf, type Wanted } from '../sources/read-files.ts';
import type { TraceRow } from '../views/trace-parts.ts';
import { type Handlers, say, tell } from './handlers.ts';
import { complain } from './sim-services.ts';

/** What these commands use. */
export interface SourceServices {
  readonly sessions: Sessions;
  readonly opener: Opener;
  readonly follower: Follower;
  readonly log: vscode.LogOutputChannel;
}

type Find = (file: FileArgument | undefined) => OpenTrace | undefined;

/** A source of a trace that a command is about. */
interface Subject {
  readonly trace: OpenTrace;
  readonly file: OpenFile;
  /** Its first source in the trace; undefined of a file that is no part of it. */
  readonly source: Source | undefined;
}

const isRow = (value: unknown): value is TraceRow =>
  typeof value === 'object' && value !== null && 'trace' in value && 'name' in value;

/** What an argument names: an address, or `{file, system?, offset?}`, or a list of these. */
export function toWanted(argument: unknown): Wanted[] {
  if (Array.isArray(argument)) return argument.flatMap(toWanted);
  if (typeof argument === 'object' && argument !== null && 'file' in argument) {
    const { file, system, offset } = argument as { file: unknown; system?: unknown; offset?: unknown };
    const uri = toUri(file);
    if (!uri) return [];
    const seconds = offset === undefined ? '' : String(offset);
    return [
      {
        uri,
        ...(typeof system === 'string' && system !== '' ? { system } : {}),
        ...(nanoseconds(seconds) === undefined ? {} : { offset: seconds }),
      },
    ];
  }
  const uri = isRow(argument) ? undefined : toUri(argument);
  return uri && uri.scheme !== BRANCH_SCHEME ? [{ uri }] : [];
}

/** What is wrong with arguments that `toWanted` reads: a system or an offset that would otherwise count for nothing. Undefined: nothing. */
export function wrongIn(argument: unknown): string | undefined {
  if (Array.isArray(argument)) return argument.map(wrongIn).find((wrong) => wrong !== undefined);
  if (typeof argument !== 'object' || argument === null || !('file' in argument)) return undefined;
  const { file, system, offset } = argument as { file: unknown; system?: unknown; offset?: unknown };
  if (!toUri(file)) return `a file is an address or a path: ${toldAs(file)}`;
  const unset = system === undefined || system === '';
  if (!unset && (typeof system !== 'string' || !SYSTEM.test(system))) return `${SYSTEM_RULE}: ${toldAs(system)}`;
  const nothing = offset === undefined || offset === '';
  if (!nothing && nanoseconds(String(offset)) === undefined) return `${OFFSET_RULE}: ${toldAs(offset)}`;
  return undefined;
}

/** A value of any kind in a message, not longer than a message may be. */
function toldAs(value: unknown): string {
  const text = typeof value === 'string' ? value : String(JSON.stringify(value));
  return text.length > MOST_TOLD ? `${text.slice(0, MOST_TOLD)}…` : text;
}

/** Why nothing can be joined to a trace, or taken from it; undefined where that can be done. */
function whyFixed({ branch, label, follow }: OpenTrace): string | undefined {
  if (branch) return `${label} is a simulated run: save it with Save Trace As… and open that file to join others to it`;
  return follow === undefined ? undefined : `${label} is followed: stop following it to join others to it`;
}

/** Commands about the sources of a trace: joining further ones, taking one out, what the user says of one, following a file, saving a session. */
export function sourceCommands(services: SourceServices, find: Find): Handlers {
  const { opener } = services;
  const changed = async (
    { trace, file }: Subject,
    change: (file: OpenFile) => OpenFile,
  ): Promise<OpenTrace | undefined> =>
    opener.rejoin(trace, (files) => files.map((one) => (one.file === file.file ? change(one) : one)));
  /** The source that a command is about: a row, a name, or the one that the user picks. */
  const subject = async (argument: unknown, file: FileArgument | undefined, title: string) => {
    const trace = isRow(argument) ? argument.trace : find(file);
    if (!trace) return undefined;
    const fixed = whyFixed(trace);
    if (fixed !== undefined) return void tell(fixed);
    const name = isRow(argument) ? argument.source : typeof argument === 'string' ? argument : undefined;
    const found = name === undefined ? await pickSource(trace, title) : fileCalled(trace, name);
    if (found === undefined) {
      if (name !== undefined) say(`no source of ${trace.label} is called ${name}`);
      return undefined;
    }
    const source = trace.session.trace.sources.find((one) => one.file === found.file && !one.derived);
    return { trace, file: found, source };
  };
  const removeSource = async (argument?: unknown, file?: FileArgument): Promise<string[] | undefined> => {
    const about = await subject(argument, file, 'Remove Source');
    if (!about) return undefined;
    const left = about.trace.files.filter((one) => one !== about.file && !one.skipped && one.trace !== undefined);
    if (left.length === 0)
      return void tell(`${about.file.file} is the only source of ${about.trace.label}: Close Trace closes it`);
    // A file that was given by itself is gone; one of a folder or an archive is left out when that is opened again.
    const { given } = about.file;
    const joined =
      given.kind === 'file'
        ? await opener.rejoin(about.trace, (files) => files.filter((one) => one.file !== about.file.file))
        : await changed(about, (one) => ({ ...one, skipped: true }));
    return joined && sourceNames(joined);
  };
  return {
    addToTrace: async (argument?: unknown, second?: unknown): Promise<string[] | undefined> => {
      // The explorer hands over the file of the menu and all that are selected; a row is the trace to which files are added.
      const several = Array.isArray(second) ? toWanted(second) : [];
      const trace = isRow(argument) ? argument.trace : find(several.length > 0 ? undefined : toUri(second));
      if (!trace) return void (services.sessions.active ?? say('no trace is open to which a source could be added'));
      const fixed = whyFixed(trace);
      if (fixed !== undefined) return void tell(fixed);
      const wrong = wrongIn(argument) ?? wrongIn(second);
      if (wrong !== undefined) return void say(wrong);
      const given = several.length > 0 ? several : toWanted(argument);
      const wanted = given.length > 0 ? given : await pickSources(services.sessions, trace);
      const there = new Set(trace.files.filter((f) => !f.skipped).map((f) => f.given.uri.toString()));
      const fresh = wanted.filter(({ uri }) => !there.has(uri.toString()));
      if (fresh.length < wanted.length)
        say(`${counted(wanted.length - fresh.length, 'source')} of ${trace.label} already`);
      if (fresh.length === 0) return undefined;
      const joined = await opener.addTo(trace, fresh);
      return joined && sourceNames(joined);
    },
    removeSource,
    removeSourceRow: removeSource,
    setSystem: async (argument?: unknown, value?: unknown, file?: FileArgument): Promise<string | undefined> => {
      const about = await subject(argument, file, 'Set System');
      if (!about) return undefined;
      const system = typeof value === 'string' ? value.trim() : await askSystem(about);
      if (system === undefined) return undefined;
      if (system !== '' && !SYSTEM.test(system)) return void say(`${SYSTEM_RULE}: ${system}`);
      const joined = await changed(about, (one) => ({
        ...one,
        ...saidOf({ ...one.said, system: system === '' ? undefined : system }),
      }));
      return joined?.session.trace.sources.find((source) => source.file === about.file.file)?.system;
    },
    setClockOffset: async (argument?: unknown, value?: unknown, file?: FileArgument): Promise<string | undefined> => {
      const about = await subject(argument, file, 'Set Clock Offset');
      if (!about) return undefined;
      const { source } = about;
      if (source === undefined) return void say(`${about.file.file} is no part of the trace`);
      if (source.alignment === undefined && source.placedBy === undefined)
        return void tell(`The clock of ${about.file.file} is that of the trace. Give an offset to another source`);
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : await askOffset(about);
      if (text === undefined) return undefined;
      const offset = text.trim().replace(/ ?s$/, '');
      if (offset !== '' && nanoseconds(offset) === undefined) return void say(`${OFFSET_RULE}: ${offset}`);
      const joined = await changed(about, (one) => ({
        ...one,
        ...saidOf({ ...one.said, offset: offset === '' ? undefined : offset }),
      }));
      return joined && joinedInfo(joined.session.trace).clocks.find((clock) => clock.file === about.file.file)?.offset;
    },
    follow: (argument?: unknown, on?: unknown) => follow(services, find, argument, on),
    unfollow: (argument?: unknown) => follow(services, find, argument, false),
    saveSession: (argument?: unknown, file?: FileArgument) => saveSession(services, find, argument, file),
  };
}

const SYSTEM = /^[A-Za-z][\w.-]*$/;
const SYSTEM_RULE = 'a name of a system begins with a letter and has letters, digits, dots and dashes';
/** Most characters of a wrong argument that a message repeats. */
const MOST_TOLD = 60;
const OFFSET_RULE = 'an offset is a number of seconds, such as -12.5';

const sourceNames = ({ session }: OpenTrace): string[] => [
  ...new Set(session.trace.sources.filter(({ derived }) => !derived).map(({ file }) => file)),
];

/** The file of a trace with a name: its whole name, or the end of its path. */
const fileCalled = ({ files }: OpenTrace, name: string): OpenFile | undefined =>
  files.find(({ file, skipped }) => !skipped && file === name) ??
  files.find(({ file, skipped }) => !skipped && file.endsWith(`/${name}`));

async function pickSource(trace: OpenTrace, title: string): Promise<OpenFile | undefined> {
  const parts = trace.files.filter((file) => !file.skipped && file.trace !== undefined);
  const [only] = parts;
  if (parts.length === 1) return only;
  const items = parts.map((file) => {
    const source = trace.session.trace.sources.find((one) => one.file === file.file);
    return { label: file.file, description: [source?.format, source?.system].filter(Boolean).join(' · '), file };
  });
  return (await vscode.window.showQuickPick(items, { title: `${title} (${trace.label})`, placeHolder: 'The source' }))
    ?.file;
}

/** Asks what to join to a trace: files, a folder, or the file of another open trace. */
async function pickSources(sessions: Sessions, trace: OpenTrace): Promise<Wanted[]> {
  const others = sessions.all.filter((one) => one !== trace && !one.branch);
  const items = [
    { label: '$(files) Files…', description: 'traces, snapshots, archives', ask: 'files' as const },
    { label: '$(folder) Folder…', description: 'all traces and snapshots in it', ask: 'folder' as const },
    ...others.map((one) => ({
      ...{ label: one.label, description: `open, ${counted(one.session.trace.length, 'event')}` },
      ask: one,
    })),
  ];
  const title = `Add to Trace (${trace.label})`;
  const placeHolder = 'What is joined to it: one trace, one clock, one state';
  const chosen = (await vscode.window.showQuickPick(items, { title, placeHolder }))?.ask;
  if (chosen === undefined) return [];
  if (typeof chosen === 'object') return given(chosen);
  const picked = await vscode.window.showOpenDialog({
    ...{ title, openLabel: 'Add', canSelectMany: true },
    ...{ canSelectFiles: chosen === 'files', canSelectFolders: chosen === 'folder' },
    ...(trace.uri.scheme === BRANCH_SCHEME ? {} : { defaultUri: vscode.Uri.joinPath(trace.uri, '..') }),
  });
  return (picked ?? []).map((uri) => ({ uri }));
}

/** What an open trace was opened by. */
const given = ({ files }: OpenTrace): Wanted[] => {
  const uris = new Map(files.map((file) => [file.given.uri.toString(), file.given.uri]));
  return [...uris.values()].map((uri) => ({ uri }));
};

const askSystem = ({ file, source }: Subject): Thenable<string | undefined> =>
  vscode.window.showInputBox({
    title: `Set System (${file.file})`,
    prompt: 'Name of the machine whose interrupts it tells, such as host or guest; empty: found from its content',
    value: source?.system ?? '',
    validateInput: (text) =>
      text.trim() === '' || SYSTEM.test(text.trim())
        ? undefined
        : `${SYSTEM_RULE.charAt(0).toUpperCase()}${SYSTEM_RULE.slice(1)}.`,
  });

const askOffset = ({ trace, file }: Subject): Thenable<string | undefined> =>
  vscode.window.showInputBox({
    title: `Set Clock Offset (${file.file})`,
    prompt: `Seconds that are added to its times to get those of ${trace.session.trace.first.file}; empty: found from its content`,
    value: joinedInfo(trace.session.trace).clocks.find((clock) => clock.file === file.file)?.offset ?? '',
    validateInput: (text) =>
      text.trim() === '' || nanoseconds(text.trim()) !== undefined
        ? undefined
        : `${OFFSET_RULE.charAt(0).toUpperCase()}${OFFSET_RULE.slice(1)}.`,
  });

/** Follows the file of a trace, or a file that is not open, while it grows; or no more. */
async function follow(
  { sessions, follower, opener, log }: SourceServices,
  find: Find,
  argument: unknown,
  on: unknown,
): Promise<boolean | undefined> {
  const given = isRow(argument) ? argument.trace.uri : toUri(argument);
  const trace = given ? sessions.find(given) : find(undefined);
  const uri = given ?? trace?.uri;
  if (!uri) return void say('no trace is open');
  if (follower.follows(uri)) {
    if (on === true) return true;
    await follower.stop(uri);
    say(`${baseName(uri)} is not followed any more`);
    return false;
  }
  if (on === false) return false;
  const why = trace && whyNotFollowed(trace);
  if (why !== undefined) return void tell(why);
  try {
    await trace?.loaded;
    const shown = trace && isSeveral(trace) ? await follower.startSeveral(trace) : await follower.start(uri);
    // It was told to end, or the trace was closed, while it was read.
    if (!follower.follows(uri)) return undefined;
    if (sessions.all.includes(shown)) {
      sessions.activate(shown);
      if (!trace) await opener.show(shown);
    } else tell(`${baseName(uri)} has no record so far. It is shown when its first one is there`);
    return true;
  } catch (error) {
    complain(log, `${baseName(uri)} cannot be followed`, error);
    return undefined;
  }
}

/** Whether a trace was put together from files, be it one in a folder. */
const isSeveral = ({ files }: Pick<OpenTrace, 'files'>): boolean => files.length > 1 || files[0]?.given.kind !== 'file';

/** Why the file of a trace cannot be followed; undefined where it can. */
function whyNotFollowed({ branch, label, files, session }: OpenTrace): string | undefined {
  if (branch) return `${label} is a simulated run: no file grows`;
  if (!isSeveral({ files }) && session.trace.first.binary)
    return `${label} is written when its recording ends: it does not grow line by line`;
  return undefined;
}

/** Writes a session file: what is opened together, and where the user is. */
async function saveSession(
  { log }: SourceServices,
  find: Find,
  argument: unknown,
  file: FileArgument | undefined,
): Promise<vscode.Uri | undefined> {
  const trace = isRow(argument) ? argument.trace : find(file);
  if (!trace) return undefined;
  if (trace.branch) return void tell(`${trace.label} is a simulated run: Save Trace As… keeps it in a file`);
  const [{ sessionFileText }, { sessionOf }] = await Promise.all([
    import('../../session/session-file.ts'),
    import('../sources/session-of.ts'),
  ]);
  const isSession = trace.uri.path.endsWith('.irqsession');
  const beside = isSession ? trace.uri : trace.uri.with({ path: `${trace.uri.path.replace(/\/+$/, '')}.irqsession` });
  const target =
    (isRow(argument) ? undefined : toUri(argument)) ??
    (await vscode.window.showSaveDialog({
      ...{ title: 'Save Session', saveLabel: 'Save', defaultUri: beside },
      filters: { Sessions: ['irqsession'] },
    }));
  if (!target) return undefined;
  try {
    await writeWhole(target, new TextEncoder().encode(sessionFileText(sessionOf(trace, target))));
    say(`${baseName(target)} is saved`);
    return target;
  } catch (error) {
    complain(log, `${target.path} cannot be written`, error);
    return undefined;
  }
}
