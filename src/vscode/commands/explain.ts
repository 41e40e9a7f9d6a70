import * as vscode from 'vscode';
import { explain, type Reading } from '../../query/explain/explain.ts';
import { readingFields, readingText } from '../../view/reading.ts';
import { pickOne } from '../pick.ts';
import { type Handlers, say } from './handlers.ts';

/** Characters of a selected text that may still be a value. */
const LONGEST = 300;

/** The text that is selected in the editor, where it reads as a value; else nothing. */
function selectedValue(): string {
  const editor = vscode.window.activeTextEditor;
  const text = editor?.document.getText(editor.selection).trim() ?? '';
  return text !== '' && text.length <= LONGEST && !('refused' in explain(text)) ? text : '';
}

async function askValue(): Promise<string | undefined> {
  const value = selectedValue();
  return vscode.window.showInputBox({
    title: 'Explain Value',
    prompt:
      'A message as ADDRESS/DATA, a register, a table entry, a hwirq or a fault reason, as logs and dumps print it',
    placeHolder: '0xfee004b8/0',
    value,
    validateInput: (text) => {
      const read = text.trim() === '' ? [] : explain(text);
      return 'refused' in read ? `${read.refused}.` : undefined;
    },
  });
}

async function copied(reading: Reading): Promise<string> {
  const text = readingText(reading);
  await vscode.env.clipboard.writeText(text);
  say(`the fields of ${reading.kind} ${reading.value} are on the clipboard`);
  return text;
}

/** *Explain Value…*: what a value means, without a trace. */
export const explainCommands: Handlers = {
  explainValue: async (value?: unknown, kind?: unknown): Promise<string | undefined> => {
    const text = typeof value === 'string' ? value : await askValue();
    if (text === undefined || text.trim() === '') return undefined;
    const as = typeof kind === 'string' ? kind : undefined;
    const readings = explain(text, as);
    if ('refused' in readings) return void say(readings.refused);
    if (as !== undefined) return copied(readings[0]!);
    const items = readings.map((reading) => ({
      label: reading.kind,
      description: reading.text,
      detail: readingFields(reading),
      reading,
    }));
    const picked = await pickOne(items, {
      title: `Explain ${text.trim()}`,
      placeholder: 'What the value may be, the likeliest first; Enter copies the fields as text',
      namesOf: ({ label }) => [label],
    });
    return picked && copied(picked.reading);
  },
};
