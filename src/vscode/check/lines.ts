import * as vscode from 'vscode';
import type { Step } from '../../base/ids.ts';
import type { LineText } from '../../check/report/witness.ts';
import { sourceOf } from '../../query/events.ts';
import type { Platform } from '../platform.ts';
import type { OpenTrace } from '../sessions.ts';
import { uriOf, whyNoText } from '../text.ts';

/** Reads the lines that tell some events again, from open texts or from the files. Simulated runs have none: their events are their lines; nor has a binary file. */
export async function readLines(platform: Platform, trace: OpenTrace, steps: Iterable<Step>): Promise<LineText> {
  if (trace.branch) return () => undefined;
  const events = trace.session.trace;
  const binary = new Set(events.sources.filter((source) => source.binary).map(({ file }) => file));
  const wanted = new Map<string, Set<number>>();
  for (const step of steps) {
    const { file, line } = sourceOf(events, step);
    if (binary.has(file)) continue;
    wanted.set(file, (wanted.get(file) ?? new Set()).add(line));
  }
  const texts = new Map<string, ReadonlyMap<number, string>>();
  for (const [file, lines] of wanted) {
    const uri = uriOf(trace, file);
    if (whyNoText(trace, uri) === 'archive') continue;
    texts.set(file, linesOfText(uri, lines) ?? (await linesOfFile(platform, uri, lines)));
  }
  return (file, line) => texts.get(file)?.get(line);
}

/** The text of one line (from 1) of a file of a trace; undefined where the file is no text, or cannot be read again. */
export async function lineOf(
  platform: Platform,
  trace: OpenTrace,
  line: number,
  file: string = trace.session.trace.first.file,
): Promise<string | undefined> {
  const uri = uriOf(trace, file);
  const why = whyNoText(trace, uri);
  if (trace.branch || why === 'binary' || why === 'archive' || why === 'several') return undefined;
  const lines = new Set([line]);
  return (linesOfText(uri, lines) ?? (await linesOfFile(platform, uri, lines))).get(line);
}

/** The lines of a text that the editor holds, unless the user has changed it. */
function linesOfText(uri: vscode.Uri, lines: ReadonlySet<number>): ReadonlyMap<number, string> | undefined {
  const key = uri.toString();
  const document = vscode.workspace.textDocuments.find((d) => d.uri.toString() === key && !d.isClosed && !d.isDirty);
  if (!document) return undefined;
  const known = [...lines].filter((line) => line >= 1 && line <= document.lineCount);
  return new Map(known.map((line) => [line, document.lineAt(line - 1).text]));
}

async function linesOfFile(
  platform: Platform,
  uri: vscode.Uri,
  lines: ReadonlySet<number>,
): Promise<ReadonlyMap<number, string>> {
  const { LineReader } = await import('../../import/read-lines.ts');
  const reader = new LineReader(lines);
  try {
    const source = await platform.openSource(uri);
    for await (const chunk of source.chunks()) {
      reader.push(chunk);
      if (reader.done) return reader.texts;
    }
    reader.end();
  } catch {
    // The file is gone, or cannot be read any more: what was read of it counts.
  }
  return reader.texts;
}
