// The VSIX holds what the extension needs, and nothing else.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { makePackage, withoutPictures } from '../../scripts/package.ts';
import { root } from '../../scripts/paths.ts';
import { listZip } from '../helpers/zip.ts';

const MAX_BYTES = 2 * 1024 * 1024;

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
  'dist/webview/timeline.js',
];

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
  let readmeSize = 0;

  before(async () => {
    await makePackage(vsix);
    const entries = listZip(vsix);
    readmeSize = entries.find(({ name }) => name === 'extension/readme.md')?.size ?? 0;
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
    const folders = [...filesOf('syntaxes', /\.json$/), ...filesOf('media', /./), ...filesOf('examples', /./)];
    assert.deepEqual([...names].sort(), [...FIXED, ...styles, ...folders].sort());
  });

  it('holds every file that its manifest names', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
    const { main, browser, bin, icon, contributes } = manifest;
    const missing = namedFiles({ main, browser, bin, icon, contributes }).filter((name) => !names.includes(name));
    assert.deepEqual(missing, []);
  });

  it('names no picture that it does not hold', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    assert.match(readme, /!\[/);
    assert.doesNotMatch(withoutPictures(readme), /!\[/);
    assert.equal(readmeSize, Buffer.byteLength(withoutPictures(readme)));
  });
});
