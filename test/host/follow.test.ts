// A file that is followed while it grows: what is appended shows, nothing is read twice, and it rests while the user looks back.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as vscode from 'vscode';
import type { Platform } from '../../src/vscode/platform.ts';
import { Sessions } from '../../src/vscode/sessions.ts';
import { Follower } from '../../src/vscode/sources/follow.ts';
import { fixtureBytes } from '../helpers/fixtures.ts';
import { activate, active, closeAll, eventually, exampleLines, run } from './helper.ts';

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
    assert.equal(await run('unfollow', at('live.log')), false);
    assert.equal(trace.follow, undefined);
    assert.equal(await run('unfollow', at('live.log')), false, 'it is not followed');
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
    writeFileSync(join(folder, 'packed.log.gz'), gzipSync(exampleLines(1, 1000)));
    await run('openTrace', undefined, [at('packed.log.gz'), at('trace.dat')]);
    assert.equal(await run('follow'), undefined, 'neither of them grows');
    assert.equal((await active()).follow, undefined);
    assert.equal(await run('follow', at('no-such.log')), undefined);
    writeFileSync(
      join(folder, 'noise.bin'),
      Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 251),
    );
    assert.equal(await run('follow', at('noise.bin')), undefined);
    assert.equal((await activate()).internals.follower.follows(at('noise.bin')), false);
  });
});

/** A file whose bytes come when the test says so, and what follows it: the store and the follower with no view around them. */
function controlled() {
  const log = vscode.window.createOutputChannel('IRQScope: follow.test', { log: true });
  const uri = vscode.Uri.file('/controlled.log');
  const file = {
    ...{ bytes: new Uint8Array(0), modified: 1, identity: 'one', opened: 0 },
    size: (): number | undefined => file.bytes.length,
    piece: 100_000,
  };
  let failure: Error | undefined;
  /** Readers that wait for their next piece. */
  let waiting: (() => void)[] = [];
  let held = false;
  const platform: Platform = {
    openSource: async () => {
      file.opened++;
      const { modified, identity } = file;
      return {
        ...{ size: file.size(), modified, identity, folder: false },
        async *chunks(from = 0) {
          const { piece } = file;
          for (let at = from; at < file.bytes.length; at += piece) {
            yield file.bytes.subarray(at, at + piece);
            if (held) await new Promise<void>((done) => waiting.push(done));
            if (failure) throw failure;
          }
        },
      };
    },
  };
  const sessions = new Sessions(platform);
  const follower = new Follower(platform, sessions, log);
  return {
    ...{ uri, file, sessions, follower },
    write: (lines: string, identity = file.identity): void => {
      Object.assign(file, { bytes: Buffer.from(lines, 'latin1'), modified: file.modified + 1, identity });
    },
    hold: (): void => {
      held = true;
    },
    release: (error?: Error): void => {
      [held, failure] = [false, error];
      const now = waiting;
      waiting = [];
      for (const done of now) done();
    },
    waits: (): Promise<void> => eventually(() => assert.ok(waiting.length > 0)),
    dispose: (): void => vscode.Disposable.from(follower, sessions, log).dispose(),
  };
}

describe('a followed file that is closed, given up or lost while it is read', () => {
  let one: ReturnType<typeof controlled>;
  beforeEach(() => {
    one = controlled();
    one.write(exampleLines(1, 3000));
  });
  afterEach(() => one.dispose());

  it('is followed once, however often it is asked for', async () => {
    const { follower, sessions, uri } = one;
    const [first, second] = await Promise.all([follower.start(uri), follower.start(uri)]);
    assert.equal(first, second);
    assert.equal(sessions.all.length, 1);
    await follower.stop(uri);
    const { opened } = one.file;
    await new Promise((done) => setTimeout(done, 1200));
    assert.equal(one.file.opened, opened, 'nothing looks at it any more');
  });

  it('takes the place of the trace that is being read of it', async () => {
    const { follower, sessions, uri } = one;
    // So few bytes that nothing is understood of them.
    one.file.piece = 10_000;
    one.hold();
    const opening = sessions.open(uri);
    await one.waits();
    assert.equal(sessions.all.length, 0);
    const starting = follower.start(uri);
    await new Promise((done) => setTimeout(done, 100));
    one.release();
    await opening;
    const trace = await starting;
    assert.deepEqual(sessions.all, [trace]);
    assert.equal(trace.follow, 'following');
  });

  it('keeps what was read when it is told to end in the middle, and says so', async () => {
    const { follower, sessions, uri } = one;
    one.hold();
    const starting = follower.start(uri);
    await one.waits();
    const [trace] = sessions.all;
    assert.equal(trace!.load, 'loading');
    await follower.stop(uri);
    assert.deepEqual([trace!.load, trace!.follow], ['stopped', undefined]);
    one.release();
    await starting;
    assert.deepEqual([trace!.load, trace!.follow, trace!.session.loading], ['stopped', undefined, false]);
  });

  it('a trace that cannot be read to its end says why', async () => {
    const { follower, sessions, uri } = one;
    one.hold();
    const starting = follower.start(uri);
    await one.waits();
    one.release(new Error('the disk is gone'));
    await assert.rejects(starting, /the disk is gone/);
    const [trace] = sessions.all;
    assert.deepEqual([trace!.load, trace!.follow, trace!.error], ['failed', undefined, 'the disk is gone']);
    assert.equal(follower.follows(uri), false);
  });

  it('is refused where its size tells nothing: a pipe, a file of /proc', async () => {
    for (const size of [undefined, 0]) {
      one.file.size = () => size;
      await assert.rejects(one.follower.start(one.uri), /does not tell its size/);
      assert.equal(one.follower.follows(one.uri), false);
      const { opened } = one.file;
      await new Promise((done) => setTimeout(done, 700));
      assert.equal(one.file.opened, opened, 'nothing looks at it');
    }
  });

  it('stays closed when it is closed while its file begins again', async () => {
    const { follower, sessions, uri } = one;
    const trace = await follower.start(uri);
    one.hold();
    one.write(exampleLines(1, 2900), 'two');
    void follower.look(uri);
    await one.waits();
    sessions.close(trace);
    assert.equal(follower.follows(uri), false);
    one.release();
    await new Promise((done) => setTimeout(done, 200));
    assert.deepEqual(sessions.all, []);
    // Nothing of it is left that a later opening would take for the trace.
    const again = await sessions.open(uri);
    assert.equal(sessions.all[0], again);
    assert.ok(again.session.trace.length > 0);
  });

  it('the trace that is shown while its file begins again is not left as a followed one', async () => {
    const { follower, sessions, uri } = one;
    const trace = await follower.start(uri);
    one.write('', 'two');
    await follower.look(uri);
    assert.deepEqual(sessions.all, [trace], 'the new file has no record yet');
    await follower.stop(uri);
    assert.equal(trace.follow, undefined);
  });

  it('is the same trace when it is opened again after it was followed', async () => {
    const { follower, sessions, uri } = one;
    const trace = await follower.start(uri);
    one.write(exampleLines(1, 4000));
    await follower.look(uri);
    await follower.stop(uri);
    assert.equal(await sessions.open(uri), trace);
    one.write(exampleLines(1, 5000));
    assert.notEqual(await sessions.open(uri), trace, 'it has more by now');
  });
});
