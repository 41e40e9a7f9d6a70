// For tests of the host's end of a webview, in Node: a clock that the test moves, and a line whose other end is the test.
import assert from 'node:assert/strict';
import type { MessengerAPI, NotificationHandler, RequestHandler } from 'vscode-messenger-common';
import { CancellationTokenImpl } from 'vscode-messenger-common';

/** A clock that stands still until it is told to go on, and jumps from one thing to do to the next. */
export class Clock {
  now = 0;
  #next = 0;
  #tasks: { at: number; order: number; then: () => void }[] = [];

  after = (ms: number, then: () => void): (() => void) => {
    const task = { at: this.now + ms, order: this.#next++, then };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== task);
    };
  };

  /** Does all that is due within some milliseconds. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const [task] = this.#tasks.sort((a, b) => a.at - b.at || a.order - b.order);
      if (!task || task.at > end) break;
      this.#tasks.shift();
      this.now = Math.max(this.now, task.at);
      task.then();
    }
    this.now = end;
  }
}

/** The line to a page that the test plays. */
export class Line implements MessengerAPI {
  readonly told: { method: string; value: unknown }[] = [];
  readonly #handlers = new Map<string, RequestHandler<unknown, unknown>>();
  readonly #listeners = new Map<string, NotificationHandler<unknown>>();

  sendRequest<R>(): Promise<R> {
    return Promise.reject(new Error('the host asks nothing'));
  }

  sendNotification(type: { method: string }, _to: unknown, value?: unknown): void {
    this.told.push({ method: type.method, value });
  }

  onRequest<P, R>(type: { method: string }, handler: RequestHandler<P, R>): void {
    this.#handlers.set(type.method, handler as RequestHandler<unknown, unknown>);
  }

  onNotification<P>(type: { method: string }, handler: NotificationHandler<P>): void {
    this.#listeners.set(type.method, handler as NotificationHandler<unknown>);
  }

  async ask<R>(method: string, value: unknown): Promise<R> {
    return (await this.#handlers.get(method)!(value, { type: 'extension' }, new CancellationTokenImpl())) as R;
  }

  tell(method: string, value: unknown): void {
    void this.#listeners.get(method)!(value, { type: 'extension' });
  }

  last<T>(method: string): T {
    return (this.told.filter((m) => m.method === method).at(-1)?.value ?? assert.fail(`no ${method}`)) as T;
  }

  count(method: string): number {
    return this.told.filter((m) => m.method === method).length;
  }
}
