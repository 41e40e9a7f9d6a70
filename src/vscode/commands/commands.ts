import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import type { Place } from '../api.ts';
import type { Opener } from '../opening.ts';
import { type FileArgument, toUri } from '../selected.ts';
import { BRANCH_SCHEME, type OpenTrace, type Sessions } from '../sessions.ts';
import type { Simulations } from '../simulations.ts';
import type { Wanted } from '../sources/read-files.ts';
import { showText } from '../text.ts';
import type { OutlineView } from '../views/outline-view.ts';
import { branchCommands } from './branch.ts';
import { type CompareServices, compareCommands } from './compare.ts';
import { explainCommands } from './explain.ts';
import { type FindingServices, findingCommands } from './findings.ts';
import { goCommands } from './go.ts';
import { type Handlers, say } from './handlers.ts';
import { injectCommands } from './inject.ts';
import { type InterruptServices, interruptCommands } from './interrupts.ts';
import { kitCommands } from './kit.ts';
import { objectCommands } from './object.ts';
import { type PathServices, pathCommands } from './path.ts';
import { type PolicyServices, policyCommands } from './policy.ts';
import { runCommands } from './run.ts';
import { type SourceServices, sourceCommands, toWanted, wrongIn } from './sources.ts';
import { type StopServices, stopCommands } from './stops.ts';

/** What commands use. */
export interface Services
  extends FindingServices,
    InterruptServices,
    CompareServices,
    PathServices,
    StopServices,
    PolicyServices,
    SourceServices {
  readonly sessions: Sessions;
  readonly simulations: Simulations;
  readonly opener: Opener;
  readonly views: readonly OutlineView[];
  readonly log: vscode.LogOutputChannel;
  readonly showTimeline: (both?: boolean) => Promise<void>;
}

/** Registers the commands; docs/commands.md lists them with their arguments. */
export function registerCommands(services: Services): vscode.Disposable {
  const find = (file: FileArgument | undefined): OpenTrace | undefined => {
    const uri = toUri(file);
    if (!uri) return services.sessions.active;
    const trace = services.sessions.find(uri);
    if (!trace) say(`no such trace is open: ${uri.path}`);
    return trace;
  };
  const handlers: Handlers = {
    ...fileCommands(services, find),
    ...goCommands(services.sessions, find),
    ...objectCommands(services.sessions, find, services.views),
    ...pathCommands(services, find),
    ...runCommands(services, find),
    ...policyCommands(services, find),
    ...stopCommands(services, find),
    ...injectCommands(services, find),
    ...branchCommands(services, find),
    ...compareCommands(services, find),
    ...findingCommands(services, find),
    ...interruptCommands(services, find),
    ...explainCommands,
    ...kitCommands(services),
    ...sourceCommands(services, find),
  };
  const registered = Object.entries(handlers).map(([name, work]) =>
    vscode.commands.registerCommand(`irqscope.${name}`, work as (...args: unknown[]) => unknown),
  );
  return vscode.Disposable.from(...registered);
}

/** The place that an argument names; undefined for the other objects that the editor passes to commands of its menus. */
function toPlace(value: unknown): Place {
  if (typeof value !== 'object' || value === null) return {};
  const { step, time, line, object } = value as Record<string, unknown>;
  return {
    ...(typeof step === 'number' ? { step } : {}),
    ...(typeof time === 'string' ? { time } : {}),
    ...(typeof line === 'number' ? { line } : {}),
    ...(typeof object === 'string' ? { object } : {}),
  };
}

/** Where the dialog for files begins: beside the active text if that is a file, else in the folder. Texts of runs, of git and others are no place in a dialog. */
function startOfDialog(): vscode.Uri | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  const folders = vscode.workspace.workspaceFolders ?? [];
  const schemes = new Set(['file', ...folders.map((folder) => folder.uri.scheme)]);
  return uri && schemes.has(uri.scheme) ? uri : folders[0]?.uri;
}

/** Asks for files, or for folders: the dialogs of some systems cannot show both. */
async function pickFiles(what: 'files' | 'folder'): Promise<readonly vscode.Uri[]> {
  const start = startOfDialog();
  const title = what === 'files' ? 'Open Trace' : 'Open Folder as Trace';
  const picked = await vscode.window.showOpenDialog({
    title,
    openLabel: title,
    canSelectMany: true,
    canSelectFiles: what === 'files',
    canSelectFolders: what === 'folder',
    ...(start ? { defaultUri: start } : {}),
    // A filter goes by the ending of a name: it would hide a file named `trace`. So it is not the first choice.
    ...(what === 'files' ? { filters: FILTERS } : {}),
  });
  return picked ?? [];
}

const FILTERS = {
  'All Files': ['*'],
  Traces: ['log', 'txt', 'out', 'trace', 'ftrace', 'qemu-trace', 'irqtrace', 'dat', 'gz', 'zst', 'zstd'],
  'Archives and Sessions': ['tar', 'gz', 'tgz', 'zip', 'irqsession'],
};

function fileCommands(
  { sessions, opener, log, showTimeline }: Services,
  find: (file: FileArgument | undefined) => OpenTrace | undefined,
): Handlers {
  const switchTrace = async (file?: FileArgument): Promise<void> => {
    const trace = toUri(file) ? find(file) : await pickTrace(sessions);
    if (!trace) return;
    sessions.activate(trace);
    if (trace.branch) await showText(trace);
  };
  return {
    openTrace: async (argument?: unknown, second?: unknown) => {
      const given = toUri(argument);
      // A text that was made from the events of a trace stands for that trace. Of a closed run nothing is left to open.
      const file = given?.scheme === BRANCH_SCHEME ? sessions.shownBy(given)?.uri : given;
      const wrong = wrongIn(argument) ?? (Array.isArray(second) ? wrongIn(second) : undefined);
      if (wrong !== undefined) return void say(wrong);
      const list = Array.isArray(second) ? toWanted(second) : given ? [] : toWanted(argument);
      const asked = (): Promise<Wanted[]> => pickFiles('files').then((all) => all.map((uri) => ({ uri })));
      const wanted = list.length > 0 ? list : file ? [{ uri: file }] : await asked();
      return (await opener.openTogether(wanted, toPlace(second)))?.session.cursor;
    },
    openFolder: async (argument?: unknown, second?: unknown) => {
      const uri = toUri(argument);
      const wanted = uri ? [uri] : await pickFiles('folder');
      const opened = await opener.openTogether(
        wanted.map((folder) => ({ uri: folder })),
        toPlace(second),
      );
      return opened?.session.cursor;
    },
    closeTrace: (file?: FileArgument) => {
      const trace = find(file);
      if (!trace) return;
      opener.stop(trace.uri);
      sessions.close(trace);
    },
    switchTrace,
    switchTraceRow: switchTrace,
    cancelOpening: (file?: unknown) => {
      const uri = toUri(file) ?? sessions.active?.uri;
      if (uri) opener.stop(uri);
    },
    showTimeline: () => showTimeline(false),
    showLog: () => log.show(),
  };
}

async function pickTrace(sessions: Sessions): Promise<OpenTrace | undefined> {
  const items = sessions.all.map((trace) => ({
    label: trace.label,
    description: `${trace === sessions.active ? 'active · ' : ''}${counted(trace.session.trace.length, 'event')}`,
    // A run has no file; the path of its text means nothing to the user.
    detail: trace.branch ? 'simulated, not saved as a file' : vscode.workspace.asRelativePath(trace.uri),
    trace,
  }));
  return (
    await vscode.window.showQuickPick(items, {
      title: 'Switch Active Trace',
      placeHolder: 'The trace that the views and the timeline show',
    })
  )?.trace;
}
