// A trace of several files that is followed while they grow: each of them keeps up, as if all were opened now.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { activate, active, closeAll, eventually, run } from './helper.ts';

let folder = '';
const at = (name: string): vscode.Uri => vscode.Uri.file(join(folder, name));
const length = async (): Promise<number> => (await active()).session.trace.length;

describe('a followed trace of several files', () => {
  const lines = (name: string): string[] => Buffer.from(fixtureBytes(name)).toString('latin1').split('\n');
  const [kernel, machine] = [lines('x86-vtd/ftrace.txt'), lines('x86-vtd/qemu.log')];
  const write = (name: string, text: readonly string[]): void =>
    writeFileSync(join(folder, name), text.map((line) => `${line}\n`).join(''), 'latin1');
  const more = (name: string, text: readonly string[]): void =>
    appendFileSync(join(folder, name), text.map((line) => `${line}\n`).join(''), 'latin1');
  /** Events that files of these names have when they are opened now. */
  const openedNow = async (...names: string[]): Promise<number> => {
    const { internals } = await activate();
    const now = internals.sessions.active;
    for (const name of names) writeFileSync(join(folder, `copy-${name}`), readFileSync(join(folder, name)));
    await run(
      'openTrace',
      undefined,
      names.map((name) => at(`copy-${name}`)),
    );
    const copy = await active();
    const { length: events } = copy.session.trace;
    internals.sessions.close(copy);
    internals.sessions.activate(now);
    return events;
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-follow-'));
    await closeAll();
  });
  afterEach(closeAll);
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps up with each of its files, rests while the user looks back, and ends when it is told to', async () => {
    const { internals } = await activate();
    write('kernel.txt', kernel.slice(0, 2000));
    write('machine.log', machine.slice(0, 1000));
    writeFileSync(join(folder, 'trace.dat'), fixtureBytes('x86-vtd/trace.dat'));
    await run('openTrace', at('kernel.txt'), [at('kernel.txt'), at('machine.log'), at('trace.dat')]);
    await run('setCheckpoint', 'kept');
    assert.equal(await run('follow'), true);
    assert.equal((await active()).follow, 'following');
    assert.equal((await active()).session.cursor, (await length()) - 1, 'the cursor is at the end');
    assert.match(internals.traces.getChildren()[0]!.description, /following/);
    const first = await length();
    more('machine.log', machine.slice(1000, 3000));
    await eventually(async () => assert.ok((await length()) > first));
    more('kernel.txt', kernel.slice(2000, 4000));
    const wanted = await openedNow('kernel.txt', 'machine.log', 'trace.dat');
    await eventually(async () => assert.equal(await length(), wanted), 15_000);
    const trace = await active();
    assert.equal(trace.session.cursor, wanted - 1);
    assert.equal(trace.session.stops.checkpoints.length, 1);
    assert.equal(trace.session.trace.sources.filter(({ derived }) => !derived).length, 3);
    await eventually(async () => assert.equal(internals.checks.of(await active())?.events, wanted), 15_000);
    await run('goToStep', 10);
    assert.equal((await active()).follow, 'paused');
    more('machine.log', machine.slice(3000, 4000));
    await new Promise((done) => setTimeout(done, 1500));
    assert.equal(await length(), wanted);
    await run('lastEvent');
    assert.equal((await active()).follow, 'following');
    await eventually(async () => assert.ok((await length()) > wanted), 15_000);
    assert.equal((await active()).session.cursor, (await length()) - 1);
    assert.equal(internals.sessions.all.length, 1);
    assert.equal(await run('unfollow'), false);
    assert.equal((await active()).follow, undefined);
    assert.equal(internals.follower.follows(at('kernel.txt')), false);
    const last = await length();
    more('machine.log', machine.slice(4000, 5000));
    await new Promise((done) => setTimeout(done, 1200));
    assert.equal(await length(), last);
  });

  it('a file that is cut begins again, one that is gone is waited for, and closing the trace ends it', async () => {
    const { internals } = await activate();
    write('kernel2.txt', kernel.slice(0, 2000));
    write('machine2.log', machine.slice(0, 3000));
    await run('openTrace', at('kernel2.txt'), [at('kernel2.txt'), at('machine2.log')]);
    await run('follow');
    const whole = await length();
    write('machine2.log', machine.slice(0, 1000));
    await eventually(async () => assert.ok((await length()) < whole), 15_000);
    renameSync(join(folder, 'machine2.log'), join(folder, 'elsewhere.log'));
    const few = await length();
    more('kernel2.txt', kernel.slice(2000, 3000));
    await eventually(async () => assert.ok((await length()) > few), 15_000);
    assert.equal((await active()).follow, 'following');
    internals.sessions.close(await active());
    assert.equal(internals.follower.follows(at('kernel2.txt')), false);
  });

  it('the last piece of a log that was rotated goes on from those before it', async () => {
    const { internals } = await activate();
    write('log.1', machine.slice(0, 3000));
    write('log', machine.slice(3000, 5000));
    await run('openTrace', at('log'), [at('log'), at('log.1')]);
    const found = async (): Promise<number> => {
      const { trace } = (await active()).session;
      return trace.world.find('table')?.children.size ?? 0;
    };
    assert.equal(await found(), 0, 'the first piece tells whose the tables are');
    await run('follow');
    more('log', machine.slice(5000, 7000));
    write('whole', machine.slice(0, 7000));
    const wanted = await openedNow('whole');
    await eventually(async () => assert.equal(await length(), wanted), 15_000);
    assert.equal(await found(), 0);
    await run('unfollow');
    assert.equal(await length(), wanted);
    assert.equal(internals.sessions.all.length, 1);
  });
});
