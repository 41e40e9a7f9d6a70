import * as vscode from 'vscode';
import { placeIn } from '../../base/json-place.ts';
import { syntaxFault, withoutComments } from '../../base/json-syntax.ts';
import { isLooked } from './scenario-files.ts';

/** *Run* and *Compare Policy…* above a scenario, and *Compare* above each policy that it sets. */
export const scenarioLenses: vscode.CodeLensProvider = {
  async provideCodeLenses(document) {
    if (!isLooked(document)) return [];
    const text = withoutComments(document.getText());
    // While something is typed there may be no JSON: what stands on the first line can be offered all the same.
    const sound = syntaxFault(text) === undefined;
    const lens = (at: number, title: string, command: string, args: readonly unknown[]): vscode.CodeLens =>
      new vscode.CodeLens(new vscode.Range(document.positionAt(at), document.positionAt(at)), {
        title,
        command: `irqscope.${command}`,
        arguments: [...args],
      });
    const { uri } = document;
    const from = Math.max(0, text.indexOf('{'));
    const lenses = [
      lens(from, '$(play) Run', 'startSimulation', [uri]),
      lens(from, '$(graph) Compare Policy…', 'comparePolicy', [undefined, uri]),
    ];
    if (!sound) return lenses;
    const { policies: known } = await import('../../sim/design.ts');
    const { policies } = JSON.parse(text.replace(/^\uFEFF/, '')) as { readonly policies?: unknown };
    if (typeof policies !== 'object' || policies === null) return lenses;
    for (const name of Object.keys(policies)) {
      if (!known.has(name)) continue;
      const place = placeIn(text, ['policies', name], true).from;
      lenses.push(lens(place, `Compare ${name}`, 'comparePolicy', [name, uri]));
    }
    return lenses;
  },
};
