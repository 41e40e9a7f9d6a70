// THIRD-PARTY-NOTICES.txt: the packages whose code is in the bundles, with their licences, from what esbuild put into them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { Trouble } from './fail.ts';
import { root } from './paths.ts';

/** Name of the file, in dist/ beside the bundles. */
export const NOTICES = 'THIRD-PARTY-NOTICES.txt';

/** The MIT licence (SPDX id MIT), for packages that name it and bring no file with it. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;

const LINE = '-'.repeat(80);

/** The folders of the packages (relative to the project) of which some code is in a bundle. */
export function packagesIn({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs.flatMap(([path, { bytesInOutput }]) => {
    // The innermost node_modules names the package: packages can bring packages of their own.
    const folder = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    return bytesInOutput > 0 && folder ? [folder] : [];
  });
  return [...new Set(folders)].sort();
}

interface PackageFile {
  name: string;
  version: string;
  license?: string;
  author?: string | { name: string };
}

/** What the licence of one package asks to be shown: its own licence and notice files. */
export function noticeOf(folder: string): string {
  const at = join(root, folder);
  const { name, version, license, author } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as PackageFile;
  const files = readdirSync(at)
    .filter((file) => /^(licen[cs]e|copying|notices?|acknowledgements?)(\.(md|txt))?$/i.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(join(at, file), 'utf8').replaceAll('\r\n', '\n').trim());
  const by = typeof author === 'string' ? author : author?.name;
  if (files.some((file) => /^(licen|copying)/i.test(file))) {
    // Some files ask for the copyright notice above them, and hold none.
    if (by && !texts.some((text) => /^\W*copyright\b/im.test(text))) texts.unshift(`Copyright (c) ${by}`);
  } else {
    if (license !== 'MIT' || !by)
      throw new Trouble(`${folder} is bundled, and brings no text of its licence (${license})`);
    texts.unshift(`Copyright (c) ${by}\n\n${MIT}`);
  }
  return [`${name} ${version} (${license ?? 'see below'})`, ...texts].join('\n\n');
}

/** The text of the file, for packages by their folders. */
export function noticesFor(folders: readonly string[]): string {
  const all = [...new Set(folders)].sort().filter((folder) => existsSync(join(root, folder, 'package.json')));
  const intro = 'The programs of IRQScope contain code of the following packages.';
  return `${[intro, ...all.map(noticeOf)].join(`\n\n${LINE}\n\n`)}\n`;
}
