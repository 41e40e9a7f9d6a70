// Comments, docs and messages say who does what, in plain words. These phrases hide it, or a reader who learnt English
// as a foreign language stumbles over them.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const FOLDERS = ['docs', 'examples/scenarios', 'media', 'scripts', 'src', 'syntaxes', 'test', 'webview'];
const FILES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'package.json', 'package.nls.json'];
const TEXTS = /\.(ts|mjs|md|json|css)$/;

/** Each phrase with words to use in its place. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/\banew\b/i, 'again'],
  [/\b(?:come|comes|came|coming) to grief\b/i, 'fails, throws, ends with an error'],
  [/\bsomebody\b/i, 'the user, the caller, the driver'],
  [/\banybody\b/i, 'the name of who it is'],
  [/\beverybody\b/i, 'the name of who it is'],
  [/\ba new life\b/i, 'what was known of it no longer holds'],
  [/\bwhoever\b/i, 'the part that …'],
  [/\bfor people\b/i, 'for the user, as text'],
  [/\bwhat became of\b/i, 'how … was read, the fate of …'],
  [/\b(?:said|shown|seen) by nothing\b/i, 'a sentence with a subject'],
  [/\bbooks (?:balance|do not balance)\b/i, 'the counts add up'],
];

function textsIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => TEXTS.test(name) && !/node_modules|fixtures\/.*\.(?:json|txt)|words\.test\.ts/.test(name));
}

describe('words', () => {
  it('comments, docs and messages use none of the phrases that hide who does what', () => {
    const found: string[] = [];
    for (const file of [...FILES, ...FOLDERS.flatMap(textsIn)]) {
      const lines = readFileSync(join(root, file), 'utf8').split('\n');
      for (const [i, line] of lines.entries())
        for (const [phrase, instead] of BANNED) {
          const match = phrase.exec(line);
          if (match) found.push(`${file}:${i + 1}: "${match[0]}"; say: ${instead}`);
        }
    }
    assert.deepEqual(found, []);
  });
});
