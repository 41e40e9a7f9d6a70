import * as vscode from 'vscode';
import { caretPlace, closedBefore } from '../../base/json-caret.ts';
import { withoutComments } from '../../base/json-syntax.ts';
import type { Scenario } from '../../sim/scenario-schema.ts';
import { breathe } from '../platform.ts';
import { isLooked } from './scenario-files.ts';

/** What a run of a scenario showed. */
interface Known {
  /** The scenario as JSON. */
  readonly key: string;
  readonly paths: readonly string[];
}

/** Scenarios whose objects are kept. */
const MOST_KEPT = 20;
/** Longest time that the objects of a scenario are looked for; what it has by then is not offered. */
const LONGEST_MS = 3000;

/**
 * Offers the objects of a scenario where its workload names one: those that the operation at hand is done to. A run of what stands in the text
 * tells which objects there are. While the text is no JSON, those of its last sound state are offered; where none was seen, those of what
 * stands before the task that is typed.
 */
export class PathCompletion implements vscode.CompletionItemProvider {
  readonly #known = new Map<string, Known>();

  async provideCompletionItems(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.CompletionItem[]> {
    if (!isLooked(document)) return [];
    const written = document.getText();
    const text = withoutComments(written);
    const { path, isKey, text: inside } = caretPlace(text, document.offsetAt(position));
    const [list, index, key] = path;
    if (isKey || path.length !== 3 || list !== 'workload' || key !== 'object' || typeof index !== 'number') return [];
    if (inside === undefined) return [];
    const [{ operations }, { fitsObject }, { runnablePart }] = await Promise.all([
      import('../../sim/catalogue.ts'),
      import('../../sim/operation.ts'),
      import('../../sim/text/scenario-paths.ts'),
    ]);
    const file = document.uri.toString();
    const whole = runnablePart(written);
    const part = whole ?? (this.#known.has(file) ? undefined : runnablePart(closedBefore(text, inside.from)));
    const known = await this.#pathsOf(file, part, token);
    const spec = operations.get(operationAt(text, inside.from) ?? '');
    const range = new vscode.Range(document.positionAt(inside.from), document.positionAt(inside.to));
    return known
      .filter((one) => spec === undefined || fitsObject(spec, one))
      .map((one, i) => {
        const item = new vscode.CompletionItem(one, vscode.CompletionItemKind.Reference);
        item.range = range;
        item.filterText = one;
        item.sortText = String(i).padStart(6, '0');
        item.detail = spec === undefined ? 'object of this scenario' : `object of ${spec.name}`;
        return item;
      });
  }

  async #pathsOf(
    file: string,
    scenario: Scenario | undefined,
    token: vscode.CancellationToken,
  ): Promise<readonly string[]> {
    const last = this.#known.get(file);
    if (scenario === undefined) return last?.paths ?? [];
    const key = JSON.stringify(scenario);
    if (last?.key === key) return last.paths;
    const { scenarioPaths } = await import('../../sim/text/scenario-paths.ts');
    const end = Date.now() + LONGEST_MS;
    const work = scenarioPaths(scenario);
    for (let at = work.next(); ; at = work.next()) {
      if (at.done) {
        this.#known.delete(file);
        this.#known.set(file, { key, paths: at.value });
        for (const old of [...this.#known.keys()].slice(0, -MOST_KEPT)) this.#known.delete(old);
        return at.value;
      }
      if (token.isCancellationRequested || Date.now() > end) return last?.paths ?? [];
      await breathe();
    }
  }
}

/** The operation of the task in whose text a place lies, whichever comes first: `op` or `object`. */
function operationAt(text: string, place: number): string | undefined {
  const from = text.lastIndexOf('{', place);
  const to = text.indexOf('}', place);
  return /"op"\s*:\s*"([^"\n]*)"/.exec(text.slice(Math.max(0, from), to < 0 ? text.length : to))?.[1];
}
