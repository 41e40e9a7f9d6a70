// The line between host and webview: what is malformed is refused at both ends, and every question ends.
import assert from 'node:assert/strict';
import * as v from 'valibot';
import type {
  MessageParticipant,
  MessengerAPI,
  NotificationHandler,
  NotificationType,
  RequestHandler,
  RequestType,
} from 'vscode-messenger-common';
import { CancellationTokenImpl } from 'vscode-messenger-common';
import { type After, MessageError, notice, Peer, request } from '../../src/protocol/rpc.ts';

const SELF: MessageParticipant = { type: 'extension' };

/** A messenger whose two ends are the same: what is sent arrives at its own handlers, through a copy as if by post. */
class Loop implements MessengerAPI {
  readonly #requests = new Map<string, RequestHandler<unknown, unknown>>();
  readonly #notices = new Map<string, NotificationHandler<unknown>>();
  /** Replaces what travels. */
  garble: (value: unknown) => unknown = (value) => value;
  /** Nothing arrives any more. */
  cut = false;

  async sendRequest<P, R>(type: RequestType<P, R>, _receiver: MessageParticipant, params?: P): Promise<R> {
    if (this.cut) return new Promise<R>(() => {});
    const handler = this.#requests.get(type.method);
    if (!handler) throw { message: `Unknown method: ${type.method}` };
    try {
      const result = await handler(structuredClone(this.garble(params)), SELF, new CancellationTokenImpl());
      return structuredClone(this.garble(result)) as R;
    } catch (error) {
      // As the library does: errors travel as plain objects.
      throw { message: (error as Error).message };
    }
  }

  sendNotification<P>(type: NotificationType<P>, _receiver: MessageParticipant, params?: P): void {
    void this.#notices.get(type.method)?.(structuredClone(this.garble(params)), SELF);
  }

  onRequest<P, R>(type: RequestType<P, R>, handler: RequestHandler<P, R>): void {
    this.#requests.set(type.method, handler as RequestHandler<unknown, unknown>);
  }

  onNotification<P>(type: NotificationType<P>, handler: NotificationHandler<P>): void {
    this.#notices.set(type.method, handler as NotificationHandler<unknown>);
  }
}

const half = request('half', v.strictObject({ n: v.number() }), v.strictObject({ n: v.pipe(v.number(), v.integer()) }));
const news = notice('news', v.strictObject({ text: v.string() }));

const after: After = (ms, then) => {
  const timer = setTimeout(then, ms);
  return () => clearTimeout(timer);
};

function line(): { loop: Loop; peer: Peer; problems: string[] } {
  const loop = new Loop();
  const problems: string[] = [];
  const peer = new Peer(loop, SELF, { after, timeout: 50, problem: (text) => problems.push(text) });
  return { loop, peer, problems };
}

describe('questions', () => {
  it('are answered', async () => {
    const { peer } = line();
    peer.answer(half, ({ n }) => ({ n: n / 2 }));
    assert.deepEqual(await peer.ask(half, { n: 8 }), { n: 4 });
  });

  it('are checked before they are sent', async () => {
    const { peer } = line();
    peer.answer(half, ({ n }) => ({ n }));
    await assert.rejects(peer.ask(half, { n: 'eight' } as unknown as { n: number }), MessageError);
    await assert.rejects(peer.ask(half, { n: 1, more: 2 } as { n: number }), /half \(sent\): more/);
  });

  it('are checked where they arrive, before the handler sees them', async () => {
    const { peer, loop } = line();
    let called = 0;
    peer.answer(half, ({ n }) => {
      called++;
      return { n };
    });
    for (const bad of [undefined, null, 7, 'x', [], {}, { n: Number.NaN }, { n: '1' }, { n: 1, x: 1 }]) {
      loop.garble = () => bad;
      await assert.rejects(peer.ask(half, { n: 1 }), /half \(question\)/);
    }
    assert.equal(called, 0);
  });

  it('have their answers checked by both ends', async () => {
    const { peer, loop } = line();
    peer.answer(half, ({ n }) => ({ n: n / 2 }));
    await assert.rejects(peer.ask(half, { n: 3 }), /half \(reply\): n: /);
    let first = true;
    loop.garble = (value) => {
      const garbled = first ? value : { n: 'four' };
      first = false;
      return garbled;
    };
    await assert.rejects(peer.ask(half, { n: 8 }), /half \(answer\): n: /);
  });

  it('end with the error that their handler throws', async () => {
    const { peer } = line();
    peer.answer(half, () => {
      throw new Error('out of paper');
    });
    await assert.rejects(peer.ask(half, { n: 1 }), /^Error: out of paper$/);
    const { peer: other } = line();
    other.answer(half, () => Promise.reject(new Error('later')));
    await assert.rejects(other.ask(half, { n: 1 }), /^Error: later$/);
  });

  it('end when nobody knows them, and when nobody answers', async () => {
    const { peer, loop } = line();
    await assert.rejects(peer.ask(half, { n: 1 }), /Unknown method: half/);
    loop.cut = true;
    await assert.rejects(peer.ask(half, { n: 1 }), /half: no answer in 50 ms/);
  });
});

describe('notices', () => {
  it('arrive', () => {
    const { peer, problems } = line();
    const heard: string[] = [];
    peer.hear(news, ({ text }) => heard.push(text));
    peer.tell(news, { text: 'rain' });
    assert.deepEqual([heard, problems], [['rain'], []]);
  });

  it('are checked at both ends, and trouble with them is reported', () => {
    const { peer, loop, problems } = line();
    const heard: string[] = [];
    peer.hear(news, ({ text }) => {
      heard.push(text);
      if (text === 'snow') throw new Error('no shovel');
    });
    assert.throws(() => peer.tell(news, { text: 7 } as unknown as { text: string }), MessageError);
    loop.garble = () => ({ text: null });
    peer.tell(news, { text: 'rain' });
    loop.garble = (value) => value;
    peer.tell(news, { text: 'snow' });
    assert.deepEqual(heard, ['snow']);
    assert.equal(problems.length, 2);
    assert.match(problems[0]!, /news: text/);
    assert.equal(problems[1], 'no shovel');
  });
});
