// The manifest holds together: its texts, commands, menus and colors name one another rightly, and the documents know them.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { operations } from '../../src/sim/catalogue.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

interface Manifest {
  activationEvents: string[];
  icon: string;
  capabilities: { untrustedWorkspaces: { supported: boolean }; virtualWorkspaces: boolean };
  contributes: {
    commands: { command: string; title: string; category: string; enablement?: string }[];
    menus: Record<string, { command: string; when?: string; group?: string }[]>;
    keybindings: { command: string; when: string }[];
    colors: { id: string; defaults: Record<string, string> }[];
    views: Record<string, { id: string; icon: string; when?: string; visibility?: string; initialSize: number }[]>;
    viewsContainers: { activitybar: { icon: string }[] };
    viewsWelcome: { view: string; contents: string; when: string }[];
    languages: { id: string; configuration?: string }[];
    grammars: { language: string; path: string }[];
    customEditors: { viewType: string; priority: string; selector: { filenamePattern: string }[] }[];
    jsonValidation: { fileMatch: string; url: string }[];
    walkthroughs: { steps: { id: string; media: { markdown: string }; completionEvents: string[] }[] }[];
  };
}

const manifest = JSON.parse(read('package.json')) as Manifest;
const texts = JSON.parse(read('package.nls.json')) as Record<string, string>;
const { contributes } = manifest;
const commands = new Set(contributes.commands.map((c) => c.command));

describe('manifest', () => {
  it('has a text for every key, and a key for every text', () => {
    const keys = [...JSON.stringify(manifest).matchAll(/"%([\w.]+)%"/g)].map((m) => m[1]!);
    assert.deepEqual([...new Set(keys)].sort(), Object.keys(texts).sort());
  });

  it('names only commands that it has', () => {
    const named = [
      ...Object.values(contributes.menus).flat(),
      ...contributes.keybindings,
      ...Object.values(texts)
        .flatMap((text) => [...text.matchAll(/command:([\w.]+)/g)])
        .map((m) => ({ command: m[1]! })),
    ];
    assert.deepEqual(
      named.map((n) => n.command).filter((command) => !commands.has(command)),
      [],
    );
  });

  it('starts only when it is used, also in Restricted Mode and virtual workspaces', () => {
    // A scenario file is JSON with comments; no event tells its name. Looking for such files in the folder would cost more than the start.
    assert.deepEqual(manifest.activationEvents, ['onWebviewPanel:irqscope.timeline', 'onLanguage:jsonc']);
    assert.equal(manifest.capabilities.untrustedWorkspaces.supported, true);
    assert.equal(manifest.capabilities.virtualWorkspaces, true);
  });

  it('binds keys only while a trace is active', () => {
    for (const { command, when } of contributes.keybindings) assert.match(when, /^irqscope\.active /, command);
  });

  it('offers at most three inline actions per row', () => {
    const inline = contributes.menus['view/item/context']!.filter((item) => item.group?.startsWith('inline'));
    const rows = new Map<string, number>();
    for (const { when = '' } of inline) rows.set(when, (rows.get(when) ?? 0) + 1);
    assert.ok(Math.max(...rows.values()) <= 3);
  });

  it('has a walkthrough of four steps, each done by a command that its text offers', () => {
    const [steps] = contributes.walkthroughs.map((w) => w.steps);
    assert.equal(steps?.length, 4);
    for (const { id, completionEvents } of steps) {
      const offered = [...texts[`walkthrough.${id}.description`]!.matchAll(/command:([\w.]+)/g)].map((m) => m[1]);
      const done = completionEvents.map((event) => event.replace('onCommand:', ''));
      assert.ok(
        done.some((command) => offered.includes(command)),
        id,
      );
      assert.deepEqual(
        done.filter((command) => !commands.has(command)),
        [],
      );
    }
  });

  it('offers to inject only what the simulator can do', () => {
    const menus = contributes.menus['view/item/context']!.filter((item) => /\binject\w/.test(item.command));
    const named = menus.map(({ when = '' }) => /viewItem =~ \/\\b(.+)\\b\//.exec(when)?.[1]?.replaceAll('\\', ''));
    assert.equal(named.length, 3);
    for (const name of named) assert.ok(operations.has(name ?? ''), name);
  });

  it('shows what is wrong first: Interrupts and Findings stand open on top, the trees and Traces are folded below', () => {
    const views = contributes.views.irqscope!;
    const shown = views.filter(({ when }) => when === undefined);
    const open = shown.filter(({ visibility }) => visibility === undefined).map(({ id }) => id);
    assert.deepEqual(open, ['irqscope.interrupts', 'irqscope.findings']);
    assert.deepEqual(
      shown.map(({ id }) => id.replace('irqscope.', '')),
      ['interrupts', 'findings', 'domains', 'devices', 'cpus', 'traces'],
    );
    // Each view that is there without a trace invites to open one, or says what it is for. The view Traces says so by a message (traces-view.ts).
    for (const { id } of shown.filter((one) => one.id !== 'irqscope.traces'))
      assert.ok(
        contributes.viewsWelcome.some(({ view, when }) => view === id && /^!irqscope\.(active|open)/.test(when)),
        id,
      );
  });

  it('opens by itself only files that have the name of a trace.dat; the others when the user chooses that', () => {
    const [own, chosen] = contributes.customEditors;
    assert.equal(own!.priority, 'default');
    assert.deepEqual(
      own!.selector.map((s) => s.filenamePattern),
      ['trace.dat', 'trace*.dat'],
    );
    assert.equal(chosen!.priority, 'option');
    const patterns = chosen!.selector.map((s) => s.filenamePattern);
    for (const pattern of ['*.tar', '*.tar.gz', '*.zip', '*.irqtrace', '*.irqsession'])
      assert.ok(patterns.includes(pattern));
    assert.equal(contributes.customEditors.length, 2);
  });

  it('gives every color a default for all four kinds of theme', () => {
    for (const { id, defaults } of contributes.colors)
      assert.deepEqual(Object.keys(defaults).sort(), ['dark', 'highContrast', 'highContrastLight', 'light'], id);
  });

  it('has every file that it names, and an icon for every view', () => {
    const files = [
      manifest.icon,
      ...contributes.viewsContainers.activitybar.map((c) => c.icon),
      ...contributes.languages.flatMap((l) => l.configuration ?? []),
      ...contributes.grammars.map((g) => g.path),
      ...contributes.jsonValidation.map((v) => v.url),
      ...contributes.walkthroughs.flatMap((w) => w.steps.map((step) => step.media.markdown)),
    ];
    for (const file of files) assert.ok(existsSync(join(root, file)), file);
    for (const view of Object.values(contributes.views).flat()) assert.ok(view.icon, view.id);
  });

  it('is documented: every command, and every color', () => {
    const page = read('docs/commands.md');
    for (const { command } of contributes.commands) assert.ok(page.includes(`\`${command}\``), command);
    for (const { id } of contributes.colors) assert.ok(page.includes(`\`${id}\``), id);
  });
});
