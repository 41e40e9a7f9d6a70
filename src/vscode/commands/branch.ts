import * as vscode from 'vscode';
import { counted } from '../../base/counted.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { textUri } from '../branch-text.ts';
import { writeWhole } from '../safe-write.ts';
import { type FileArgument, toUri } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { gathered } from '../views/slices.ts';
import { type Handlers, say } from './handlers.ts';
import { complain, type Find, type SimServices } from './sim-services.ts';

/** Milliseconds of writing a trace as text before other work of the editor has its turn. */
const SLICE_MS = 12;

/** Commands about branches and files. */
export function branchCommands({ sessions, simulations, log }: SimServices, find: Find): Handlers {
  return {
    renameBranch: async (file?: FileArgument, name?: unknown) => {
      const trace = find(file);
      if (!trace?.branch) return undefined;
      const value = trace.label;
      const asked =
        typeof name === 'string' ? name : await vscode.window.showInputBox({ title: 'Name of the Branch', value });
      if (asked !== undefined && asked.trim() !== '') await simulations.rename(trace, asked.trim());
      return trace.label;
    },
    compareBranches: async (file?: FileArgument, second?: FileArgument) => {
      const trace = find(file);
      if (!trace) return undefined;
      const other = toUri(second) ? find(second) : await pickOther(sessions, simulations.parentOf(trace), trace);
      if (!other) return undefined;
      const title = `${other.label} ↔ ${trace.label}`;
      await vscode.commands.executeCommand('vscode.diff', textUri(other), textUri(trace), title);
      return title;
    },
    saveTraceAs: async (file?: FileArgument, target?: unknown) => {
      const trace = find(file);
      if (!trace) return undefined;
      const uri =
        toUri(target) ?? (await pickTarget('Save Trace As', `${fileName(trace.label)}.irqtrace`, 'irqtrace', 'Traces'));
      if (!uri) return undefined;
      try {
        const { irqtraceBytes } = await import('../../trace/irqtrace.ts');
        const header = trace.branch?.header ?? trace.session.trace.first.header ?? [];
        const options = { location: vscode.ProgressLocation.Window, title: `Saving ${trace.label}` };
        await vscode.window.withProgress(options, async () => {
          // What is still read belongs to it.
          await trace.loaded;
          const pieces = irqtraceBytes(trace.session.trace, header);
          await writeWhole(uri, joined((await gathered(pieces, { ms: SLICE_MS, wanted: () => true }))!));
        });
        return uri;
      } catch (error) {
        complain(log, `${uri.path} cannot be written`, error);
        return undefined;
      }
    },
    exportScenario: async (file?: FileArgument, target?: unknown) => {
      const trace = find(file);
      if (!trace) return undefined;
      if (!trace.branch?.recipe) return void say('only a simulated run has a scenario');
      const { scenarioWithOperations } = await simulations.simulator();
      const name = `${fileName(trace.label)}.scenario.json`;
      const uri = toUri(target) ?? (await pickTarget('Export Scenario with Operations', name, 'json', 'Scenarios'));
      if (!uri) return undefined;
      const document = scenarioWithOperations(trace.branch.run as Simulation);
      try {
        await writeWhole(uri, new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`));
        return uri;
      } catch (error) {
        complain(log, `${uri.path} cannot be written`, error);
        return undefined;
      }
    },
  };
}

/** Asks for the trace to compare with; for a branch, the run that it left comes first. */
async function pickOther(
  sessions: Sessions,
  parent: OpenTrace | undefined,
  trace: OpenTrace,
): Promise<OpenTrace | undefined> {
  const others = sessions.all.filter((other) => other !== trace && other !== parent);
  const items = (parent ? [parent, ...others] : others).map((other) => ({
    label: other.label,
    description: other === parent ? 'this branch left it' : counted(other.session.trace.length, 'event'),
    trace: other,
  }));
  if (items.length === 0) say('there is no other trace to compare with');
  return (await vscode.window.showQuickPick(items, { title: `Compare ${trace.label} with` }))?.trace;
}

const fileName = (label: string): string => label.replaceAll(/[^\w.-]+/g, '-').replace(/\.(irqtrace|log|txt)$/, '');

function pickTarget(title: string, name: string, ending: string, kind: string): Thenable<vscode.Uri | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return vscode.window.showSaveDialog({
    title,
    saveLabel: 'Save',
    filters: { [kind]: [ending] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
  });
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
