// Words of a trace or of a file of the workspace must not become links in notifications: a link can run a command.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/paths.ts';
import { withoutLinks } from '../../src/view/notification.ts';

// How the editor finds links in a notification (src/vs/base/common/linkedText.ts of VS Code).
const LINK = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/gi;

describe('notifications', () => {
  for (const text of [
    '[repair](command:workbench.action.terminal.sendSequence?%7B%7D)',
    'entry 1 of [[x]](command:a) sent [b](https://example.org "title")',
    '[a](file:///etc/passwd)[b](COMMAND:c)',
    '[x]](command:a)',
  ])
    it(`hold no link: ${text}`, () => {
      assert.match(`${text} [y](command:z)`, LINK);
      assert.doesNotMatch(withoutLinks(text), LINK);
    });

  it('say everything else as it is', () => {
    for (const text of ['F03: entry 1 (masked) of 0000:03:00.0 sent [a message] (step 4).', ''])
      assert.equal(withoutLinks(text), text);
  });

  const files = readdirSync(join(root, 'src/vscode'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, text: readFileSync(join(root, 'src/vscode', name), 'utf8') }));

  it('are shown by message.ts alone', () => {
    const direct = /\.\s*show(Information|Warning|Error)Message\b/;
    const users = files.filter(({ text }) => direct.test(text)).map(({ name }) => name);
    assert.deepEqual(users, ['message.ts']);
  });

  it('of work in progress pass through the same function', () => {
    const titles = files.flatMap(({ text }) =>
      [...text.matchAll(/ProgressLocation\.Notification,\s*title: (.{20})/g)].map(([, title]) => title!),
    );
    assert.ok(titles.length > 0);
    // A title without a name in it needs none.
    for (const title of titles) assert.match(title, /^(withoutLinks\(|'[^']+')/);
  });
});
