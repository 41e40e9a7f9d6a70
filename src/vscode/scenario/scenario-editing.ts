import * as vscode from 'vscode';
import { PathCompletion } from './path-completion.ts';
import { SCENARIO_FILES } from './scenario-files.ts';
import { scenarioLenses } from './scenario-lenses.ts';
import { ScenarioProblems } from './scenario-problems.ts';

/** Starts what the editor offers in scenario files: lenses, objects for completion, and problems that the schema cannot tell. */
export function registerScenarioEditing(): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerCodeLensProvider(SCENARIO_FILES, scenarioLenses),
    vscode.languages.registerCompletionItemProvider(SCENARIO_FILES, new PathCompletion(), '"', '/'),
    new ScenarioProblems(),
  );
}
