// A large packed trace.dat is read in a newer Node where one is there; here programs stand for it that tell a version and keep what they were given.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { program } from '../../src/cli/children.ts';
import { elsewhere, hasZstd, isLargeZstd, newerNode } from '../../src/cli/newer-node.ts';
import { fixtureBytes } from '../helpers/fixtures.ts';

const MIB = 1 << 20;

describe('cli: goes on in a newer Node', () => {
  if (process.platform === 'win32') return;
  let folder = '';
  let large = '';
  let given = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-newer-'));
    const bytes = fixtureBytes('x86-nested/l1-trace.dat');
    large = join(folder, 'large.dat');
    writeFileSync(large, Buffer.concat([bytes, new Uint8Array(5 * MIB)]));
    given = join(folder, 'given');
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => rmSync(given, { force: true }));

  /** A folder with a program `name` that tells a version; when it is given more, it keeps that and does `then`. */
  function node(version: string, then = 'exit 7', name = 'node'): string {
    const place = mkdtempSync(join(folder, 'bin-'));
    const file = join(place, name);
    const kept = `printf '%s\\n' "$@" "IRQSCOPE_NODE=[$IRQSCOPE_NODE]" > '${given}'`;
    writeFileSync(file, `#!/bin/sh\n[ "$*" = --version ] && { echo ${version}; exit 0; }\n${kept}\n${then}\n`);
    chmodSync(file, 0o755);
    return place;
  }
  const told = (): string[] => readFileSync(given, 'utf8').trimEnd().split('\n');
  const nobody = (): void => assert.throws(() => told(), /ENOENT/);

  it('with the same arguments, and gives back the exit status', async () => {
    const args = ['info', '--json', large];
    assert.equal(await elsewhere(args, { PATH: node('v22.15.0') }, false), 7);
    assert.deepEqual(told(), [program, ...args, 'IRQSCOPE_NODE=[]']);
    assert.equal(await elsewhere(args, { PATH: node('v24.1.0', 'exit 0', 'nodejs') }, false), 0);
  });

  it('tells of a signal that ended it as shells do', async () => {
    assert.equal(await elsewhere(['info', large], { PATH: node('v24.0.0', 'kill -TERM $$') }, false), 143);
  });

  it('passes a signal on', async () => {
    const ended = elsewhere(
      ['info', large],
      { PATH: node('v24.0.0', "trap 'exit 9' HUP; kill -HUP $PPID; while :; do :; done") },
      false,
    );
    assert.equal(await ended, 9);
    assert.equal(process.listenerCount('SIGHUP'), 0);
  });

  it('takes the first of the PATH that is new enough', async () => {
    const PATH = [
      node('v20.20.2'),
      join(folder, 'nowhere'),
      node('v22.14.0'),
      node('nonsense'),
      node('v23.8.0', 'exit 5'),
    ];
    assert.equal(await elsewhere(['info', large], { PATH: PATH.join(delimiter) }, false), 5);
  });

  it('takes the one that IRQSCOPE_NODE names, and no other', async () => {
    const IRQSCOPE_NODE = join(node('v24.0.0', 'exit 4'), 'node');
    assert.equal(await elsewhere(['info', large], { PATH: node('v24.0.0'), IRQSCOPE_NODE }, false), 4);
    rmSync(given);
    const old = join(node('v20.0.0'), 'node');
    assert.equal(await elsewhere(['info', large], { PATH: node('v24.0.0'), IRQSCOPE_NODE: old }, false), undefined);
    assert.equal(await elsewhere(['info', large], { PATH: '', IRQSCOPE_NODE: join(folder, 'none') }, false), undefined);
    nobody();
  });

  it('never a second time, and not where this Node has zstd', async () => {
    const PATH = node('v24.0.0');
    assert.equal(await elsewhere(['info', large], { PATH, IRQSCOPE_NODE: '' }, false), undefined);
    assert.equal(await elsewhere(['info', large], { PATH }, true), undefined);
    nobody();
  });

  it('not for small files, texts, and what is no file', async () => {
    const PATH = node('v24.0.0');
    const small = join(folder, 'small.dat');
    writeFileSync(small, fixtureBytes('x86-nested/l1-trace.dat'));
    const text = join(folder, 'text');
    writeFileSync(text, 'a line\n'.repeat(MIB));
    const args = ['info', small, text, folder, join(folder, 'none'), '-', 'info\0'];
    assert.equal(await elsewhere(args, { PATH }, false), undefined);
    nobody();
    assert.ok(isLargeZstd(large));
    assert.ok(isLargeZstd(small, 1));
    const plain = join(folder, 'plain.dat');
    const bytes = Buffer.from(readFileSync(large));
    bytes.write('none', bytes.indexOf('zstd'));
    writeFileSync(plain, bytes);
    assert.ok(!isLargeZstd(plain));
  });

  it('no program of a folder that depends on where the user stands, and not this one again', () => {
    const place = node('v24.0.0');
    assert.equal(newerNode({ PATH: relative(process.cwd(), place) }), undefined);
    assert.equal(newerNode({ PATH: ['', '.'].join(delimiter) }), undefined);
    const own = join(folder, 'own');
    mkdirSync(own);
    symlinkSync(process.execPath, join(own, 'node'));
    assert.equal(newerNode({ PATH: own }), undefined);
    assert.equal(newerNode({}), undefined);
  });

  it('versions with zstd', () => {
    for (const version of ['v22.15.0', 'v22.20.1', 'v23.8.0', 'v24.0.0\n', 'v100.0.0'])
      assert.ok(hasZstd(version), version);
    for (const version of ['v20.20.2', 'v22.14.9', 'v23.7.0', 'v0.12.0', '24.0.0', 'v24', 'v24.0.0 x', ''])
      assert.ok(!hasZstd(version), version);
  });
});
