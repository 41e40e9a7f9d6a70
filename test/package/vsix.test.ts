// The VSIX holds what the extension needs, and nothing else.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { linksInside, makePackage } from '../../scripts/package.ts';
import { root } from '../../scripts/paths.ts';
import { unzip } from '../../scripts/zip.ts';
import { listZip } from '../helpers/zip.ts';

/** The program three times (editor, editor in a browser, command line) is most of it; then the scenarios, the documents and the pictures. */
const MAX_BYTES = 3 * 1024 * 1024;

/** What may be in it, besides the folders whose whole content goes in. */
const FIXED = [
  'package.json',
  'package.nls.json',
  'readme.md',
  'changelog.md',
  'LICENSE.txt',
  'dist/extension.cjs',
  'dist/extension.web.cjs',
  'dist/cli.js',
  'dist/page-thread.js',
  'dist/THIRD-PARTY-NOTICES.txt',
  'dist/webview/events.js',
  'dist/webview/timeline.js',
];

/** A part of the command line: its name depends on its content. */
const PART = /^dist\/cli-\w+-\w+\.js$/;

function filesOf(folder: string, pattern: RegExp): string[] {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => posix.join(entry.parentPath.slice(root.length + 1), entry.name));
}

/** Every string of the manifest that names a file: "./dist/x.js", "media/icon.png". */
function namedFiles(value: unknown): string[] {
  if (typeof value === 'string') return /^(\.\/)?[\w-]+\/[\w./-]+\.\w+$/.test(value) ? [posix.normalize(value)] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(namedFiles);
}

describe('VSIX', () => {
  const folder = mkdtempSync(join(tmpdir(), 'irqscope-vsix-'));
  const vsix = join(folder, 'extension.vsix');
  let names: string[] = [];
  let page = '';
  let contents = new Map<string, Buffer>();

  before(async () => {
    await makePackage(vsix);
    const entries = listZip(vsix);
    contents = unzip(readFileSync(vsix));
    page = contents.get('extension/readme.md')?.toString('utf8') ?? '';
    names = entries
      .map((entry) => entry.name)
      .filter((name) => name.startsWith('extension/'))
      .map((name) => name.slice('extension/'.length));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is small', () => {
    assert.ok(statSync(vsix).size < MAX_BYTES, `${statSync(vsix).size} bytes`);
  });

  it('holds exactly the product', () => {
    const styles = filesOf('webview', /\.css$/).map((name) => `dist/${name}`);
    const folders = [
      ...filesOf('syntaxes', /\.json$/),
      ...filesOf('media', /./),
      ...filesOf('examples', /./),
      ...filesOf('docs', /\.(md|png)$/),
    ];
    assert.deepEqual([...names].filter((name) => !PART.test(name)).sort(), [...FIXED, ...styles, ...folders].sort());
  });

  it('holds the parts of the command line that it loads, and no others', () => {
    const programs = [...contents].filter(([name]) =>
      /^extension\/dist\/(?:cli|page-thread)(?:-[\w-]+)?\.js$/.test(name),
    );
    const parts = programs.map(([name]) => posix.basename(name)).filter((name) => PART.test(`dist/${name}`));
    const loaded = programs.flatMap(([, text]) =>
      [...text.toString('utf8').matchAll(/["']\.\/(cli-[\w-]+\.js)["']/g)].map((m) => m[1]!),
    );
    assert.deepEqual([...new Set(loaded)].sort(), parts.sort());
    assert.ok(parts.length > 3, parts.join(' '));
  });

  it('holds every file that its manifest names', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
    const { main, browser, bin, icon, contributes } = manifest;
    const missing = namedFiles({ main, browser, bin, icon, contributes }).filter((name) => !names.includes(name));
    assert.deepEqual(missing, []);
  });

  it('has a page that opens with what the product does, with pictures and links that lead to files in it', () => {
    assert.match(page, /^# IRQScope\n\n\*\*.+\*\* IRQScope opens the logs that you already have/);
    assert.doesNotMatch(page, /fresh clone/);
    const pictures = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map((m) => m[1]!);
    assert.ok(pictures.length >= 2);
    for (const picture of pictures) assert.ok(names.includes(picture), picture);
  });

  it('has no link in its documents that leads out of it, but to addresses that exist for everyone', () => {
    for (const name of names.filter((n) => n.endsWith('.md'))) {
      const text = contents.get(`extension/${name}`)!.toString('utf8');
      for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https:\/\/(keepachangelog\.com|semver\.org)\//.test(target!)) continue;
        const [file = ''] = target!.split('#');
        assert.ok(file === '' || names.includes(posix.join(posix.dirname(name), file)), `${name}: ${target}`);
      }
    }
  });

  it('is an archive that others read too', () => {
    assert.deepEqual(
      listZip(vsix).map(({ name, size }) => [name, size]),
      [...contents].map(([name, content]) => [name, content.length]),
    );
  });
});

describe('documents in the package', () => {
  const names = ['readme.md', 'changelog.md', 'LICENSE.txt', 'docs/cli.md', 'docs/images/a.png'];
  const cases: [text: string, folder: string, expected: string][] = [
    ['[log](CHANGELOG.md)', '.', '[log](changelog.md)'],
    ['[MIT](LICENSE)', '.', '[MIT](LICENSE.txt)'],
    ['![p](docs/images/a.png) [c](docs/cli.md#info)', '.', '![p](docs/images/a.png) [c](docs/cli.md#info)'],
    ['see [how](CONTRIBUTING.md) and ![b](docs/images/b.png)', '.', 'see how and '],
    ['[up](../README.md) [side](cli.md) [src](../src/README.md)', 'docs', '[up](../readme.md) [side](cli.md) src'],
    ['[web](https://semver.org/) [here](#limits)', '.', '[web](https://semver.org/) [here](#limits)'],
  ];
  it('keep links to what is there, and the words of the others', () => {
    for (const [text, folder, expected] of cases) assert.equal(linksInside(text, folder, names), expected);
  });
});
