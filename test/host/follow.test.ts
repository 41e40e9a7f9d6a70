// A file that is followed while it grows: what is appended shows, nothing is read twice, and it rests while the user looks back.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { activate, active, closeAll, eventually, example, exampleLines, run } from './helper.ts';

/** Events of the first so many lines of the example, read at once. */
async function eventsIn(lines: number, name: string): Promise<number> {
  writeFileSync(join(folder, name), exampleLines(1, lines));
  await run('openTrace', vscode.Uri.file(join(folder, name)));
  const { length } = (await active()).session.trace;
  await closeAll();
  return length;
}

let folder = '';
const at = (name: string): vscode.Uri => vscode.Uri.file(join(folder, name));
const append = (name: string, from: number, to: number): void =>
  appendFileSync(join(folder, name), exampleLines(from, to), 'latin1');
const length = async (): Promise<number> => (await active()).session.trace.length;

describe('a followed file', () => {
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-follow-'));
    await closeAll();
  });
  afterEach(closeAll);
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('shows what is appended, in the trace, the findings and the status; and ends when it is told to', async () => {
    const few = await eventsIn(3000, 'few.log');
    const more = await eventsIn(6000, 'more.log');
    writeFileSync(join(folder, 'live.log'), exampleLines(1, 3000), 'latin1');
    await run('openTrace', at('live.log'), { step: 17 });
    await run('setCheckpoint', 'kept');
    assert.equal(await run('follow', at('live.log')), true);
    const trace = await active();
    const { internals } = await activate();
    assert.equal(trace.follow, 'following');
    assert.equal(trace.session.trace.length, few);
    assert.equal(trace.session.cursor, few - 1, 'the cursor is at the end');
    assert.deepEqual(trace.session.stops.checkpoints, [{ name: 'kept', step: 17 }]);
    assert.match(internals.traces.getChildren()[0]!.description, /following/);
    append('live.log', 3001, 4500);
    append('live.log', 4501, 6000);
    await eventually(() => assert.equal(trace.session.trace.length, more));
    assert.equal(trace.session.cursor, more - 1);
    assert.equal(await active(), trace, 'it is the same trace');
    await eventually(() => assert.equal(internals.checks.of(trace)?.events, more));
    assert.equal(trace.load, 'ready');
    assert.equal(await run('follow', at('live.log')), false);
    assert.equal(trace.follow, undefined);
    append('live.log', 6001, 7000);
    await new Promise((done) => setTimeout(done, 1200));
    assert.equal(trace.session.trace.length, more);
    await eventually(() => assert.equal(internals.checks.of(trace)?.done, true));
    assert.equal(internals.follower.follows(at('live.log')), false);
  });

  it('rests while the user looks back, and goes on at the last event', async () => {
    writeFileSync(join(folder, 'back.log'), exampleLines(1, 3000), 'latin1');
    await run('follow', at('back.log'));
    const trace = await active();
    const before = await length();
    await run('goToStep', 100);
    assert.equal(trace.follow, 'paused');
    append('back.log', 3001, 5000);
    await new Promise((done) => setTimeout(done, 1200));
    assert.equal(trace.session.cursor, 100);
    assert.equal(await length(), before);
    await run('lastEvent');
    assert.equal(trace.follow, 'following');
    await eventually(async () => assert.ok((await length()) > before));
    assert.equal(trace.session.cursor, (await length()) - 1);
  });

  it('half a line waits for its other half', async () => {
    const text = Buffer.from(exampleLines(1, 3010), 'latin1');
    const cut = text.length - 37;
    writeFileSync(join(folder, 'half.log'), text.subarray(0, cut));
    await run('follow', at('half.log'));
    appendFileSync(join(folder, 'half.log'), text.subarray(cut));
    const whole = (await activate()).internals.follower;
    await eventually(async () => {
      await whole.look(at('half.log'));
      assert.equal((await active()).session.trace.first.accounting.lines, 3010);
    });
    assert.deepEqual([...(await active()).session.trace.first.accounting.skipped], []);
  });

  it('a file without a record is shown when its first one is there', async () => {
    const { internals } = await activate();
    writeFileSync(join(folder, 'empty.log'), '');
    assert.equal(await run('follow', at('empty.log')), true);
    assert.equal(internals.sessions.all.length, 0);
    append('empty.log', 1, 500);
    await eventually(() => assert.equal(internals.sessions.active?.uri.toString(), at('empty.log').toString()));
    assert.ok((await length()) > 100);
  });

  it('a file that is truncated or replaced begins again, and one that is gone is waited for', async () => {
    const few = await eventsIn(800, 'few-again.log');
    const path = join(folder, 'turned.log');
    writeFileSync(path, exampleLines(1, 3000), 'latin1');
    await run('follow', at('turned.log'));
    truncateSync(path, 0);
    appendFileSync(path, exampleLines(1, 800), 'latin1');
    await eventually(async () => assert.equal(await length(), few));
    assert.equal((await active()).follow, 'following');
    renameSync(path, `${path}.1`);
    await new Promise((done) => setTimeout(done, 800));
    assert.equal(await length(), few);
    // As long as what was read, so that only the file itself tells that it is another one.
    writeFileSync(path, exampleLines(1, 1600), 'latin1');
    await eventually(async () => assert.ok((await length()) > few));
    assert.equal((await activate()).internals.sessions.all.length, 1);
  });

  it('closing the trace ends it', async () => {
    const { internals } = await activate();
    writeFileSync(join(folder, 'closed.log'), exampleLines(1, 1000), 'latin1');
    await run('follow', at('closed.log'));
    await run('closeTrace');
    assert.equal(internals.follower.follows(at('closed.log')), false);
    assert.equal(internals.sessions.all.length, 0);
  });

  it('what cannot be followed says why', async () => {
    writeFileSync(join(folder, 'trace.dat'), fixtureBytes('x86-vtd/trace.dat'));
    await run('openTrace', at('trace.dat'));
    assert.equal(await run('follow'), undefined);
    assert.equal((await active()).follow, undefined);
    writeFileSync(join(folder, 'one.log'), exampleLines(1, 1000), 'latin1');
    await run('openTrace', undefined, [at('one.log'), example()]);
    assert.equal(await run('follow'), undefined);
    assert.equal(await run('follow', at('no-such.log')), undefined);
    writeFileSync(
      join(folder, 'noise.bin'),
      Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 251),
    );
    assert.equal(await run('follow', at('noise.bin')), undefined);
    assert.equal((await activate()).internals.follower.follows(at('noise.bin')), false);
  });
});
