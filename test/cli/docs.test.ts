// Every command that docs/cli.md and docs/filter.md show does what they show. IRQSCOPE_UPDATE_DOCS=1 writes what the commands print into the files.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main, root, run } from './run.ts';

const update = process.env['IRQSCOPE_UPDATE_DOCS'] === '1';
/** Stands in a shown output for lines that are left out. */
const LEFT_OUT = '...';

interface Shown {
  /** Line in the file where the output begins, from 0. */
  at: number;
  command: string;
  output: string[];
}

/** The commands of the `console` blocks, each with the lines shown below it. */
function shownIn(lines: readonly string[]): Shown[] {
  const all: Shown[] = [];
  let inside = false;
  for (const [i, line] of lines.entries()) {
    if (line.startsWith('```')) inside = line === '```console';
    else if (inside && line.startsWith('$ ')) all.push({ at: i + 1, command: line.slice(2), output: [] });
    else if (inside) all.at(-1)!.output.push(line);
  }
  return all;
}

/** What an output looks like when it is shown like `shown`: as many lines at its start and its end. */
function likewise(output: readonly string[], shown: readonly string[]): string[] {
  const gap = shown.indexOf(LEFT_OUT);
  if (gap < 0) return [...output];
  const after = shown.length - gap - 1;
  assert.ok(output.length >= gap + after, `only ${output.length} lines`);
  return [...output.slice(0, gap), LEFT_OUT, ...output.slice(output.length - after)];
}

for (const page of ['docs/cli.md', 'docs/filter.md'])
  describe(page, () => {
    const file = join(root, page);
    const lines = readFileSync(file, 'utf8').split('\n');
    const examples = shownIn(lines);
    let bin = '';

    before(() => {
      bin = mkdtempSync(join(tmpdir(), 'irqscope-docs-'));
      const program = join(bin, 'irqscope');
      writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
      chmodSync(program, 0o755);
    });

    after(() => {
      rmSync(bin, { recursive: true });
      if (!update) return;
      // From the end, so that the places of the others stay right.
      for (const { at, output } of examples.toReversed()) {
        let end = at;
        while (!lines[end]!.startsWith('$ ') && !lines[end]!.startsWith('```')) end++;
        lines.splice(at, end - at, ...output);
      }
      writeFileSync(file, lines.join('\n'));
    });

    if (page === 'docs/cli.md')
      it('shows every command', () => {
        for (const name of ['info', 'events', 'state', 'history'])
          assert.ok(
            examples.some((e) => e.command.includes(`irqscope ${name} `)),
            name,
          );
        assert.ok(examples.length >= 15, `${examples.length} examples`);
      });

    for (const shown of examples) {
      it(shown.command, async () => {
        const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
        const { status, out } = await run('/bin/sh', ['-c', `${shown.command} 2>&1`], undefined, env);
        assert.equal(status, out.startsWith('irqscope: ') ? 2 : 0);
        const output = likewise(out.replace(/\n$/, '').split('\n'), shown.output);
        if (update) shown.output = output;
        else assert.deepEqual(shown.output, output);
      });
    }
  });
