// The host's end of the line to a webview that is hidden, or that is being hidden.
import assert from 'node:assert/strict';
import type { WebviewPanel } from 'vscode';
import { HostMessenger } from '../../src/vscode/host-messenger.ts';

describe('messages to a webview that is hidden', () => {
  /** A page that the host takes for visible or not; the editor delivers nothing to it. */
  function start(visible: boolean) {
    const lines: string[] = [];
    const posted: unknown[] = [];
    const note =
      (level: string) =>
      (text: string): void =>
        void lines.push(`${level}: ${text}`);
    const messenger = new HostMessenger({ debug: note('debug'), warn: note('warn'), error: note('error') });
    const nothing = { dispose: () => undefined };
    const webview = {
      onDidReceiveMessage: () => nothing,
      postMessage: (message: unknown) => Promise.resolve(posted.push(message) < 0),
    };
    const panel = { viewType: 'irqscope.timeline', visible, webview, onDidDispose: () => nothing };
    const receiver = messenger.registerWebviewPanel(panel as unknown as WebviewPanel);
    return { messenger, receiver, lines, posted };
  }

  /** Runs what is under way, and gives what is written to the console meanwhile. */
  async function consoleOf(work: () => unknown): Promise<unknown[]> {
    const { error } = console;
    const written: unknown[] = [];
    console.error = (...all: unknown[]) => void written.push(...all);
    try {
      await work();
      await new Promise((done) => setTimeout(done, 5));
    } finally {
      console.error = error;
    }
    return written;
  }

  it('are not sent', async () => {
    const { messenger, receiver, posted } = start(false);
    messenger.sendNotification({ method: 'timeline/changed' }, receiver, {});
    await assert.rejects(messenger.sendRequest({ method: 'timeline/ask' }, receiver, {}), /hidden view/);
    assert.deepEqual(posted, []);
  });

  it('are no error when the host learns of it only afterwards', async () => {
    const { messenger, receiver, lines, posted } = start(true);
    const written = await consoleOf(() => messenger.sendNotification({ method: 'timeline/changed' }, receiver, {}));
    assert.equal(posted.length, 1);
    assert.deepEqual(written, []);
    assert.deepEqual(
      lines.map((line) => line.slice(0, line.indexOf(':'))),
      ['debug'],
    );
  });

  it('to a page that is not there are still told of', () => {
    const { messenger, lines } = start(true);
    messenger.sendNotification({ method: 'x' }, { type: 'webview', webviewId: 'nobody' }, {});
    assert.deepEqual(lines, ['warn: No webview with id nobody is registered.']);
  });
});
