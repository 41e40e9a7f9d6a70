import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Helpers, Thread } from '../import/helpers.ts';
import { unzstd } from './unzstd.ts';

/** The program of the thread: a bundle beside this one, or its source in a checkout. */
const program = new URL(import.meta.url.endsWith('.ts') ? 'page-thread.ts' : 'page-thread.js', import.meta.url);
/** Milliseconds without an answer after which the thread is given up: what it should do is done here then. */
const PATIENCE = 20_000;

/** Bytes below which a thread costs more time than it saves: about the tenth of a second that its start takes. */
const WORTH_A_THREAD = 1 << 23;

/** A thread that answers on a port, and the word that it counts its answers in. */
interface Started {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly bell: Int32Array;
}

function start(): Started | undefined {
  if (availableParallelism() < 2 || !existsSync(fileURLToPath(program))) return undefined;
  const { port1, port2 } = new MessageChannel();
  const bell = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(program, { workerData: { port: port2, bell }, transferList: [port2] });
  // A thread that fails gives no answers; a message of it would end the program.
  worker.on('error', () => {});
  worker.unref();
  port1.unref();
  return { worker, port: port1, bell };
}

let waiting: Started | undefined;

/** Starts the thread before it is asked for: where it is certain that it will be, this program loads its other parts meanwhile. */
export function startEarly(): void {
  waiting ??= start();
}

/** A thread of its own, where the machine has a second processor and the work, `size` bytes of pages, is worth it. */
function startThread(size: number): Thread | undefined {
  if (size < WORTH_A_THREAD) return undefined;
  const started = waiting ?? start();
  waiting = undefined;
  if (started === undefined) return undefined;
  const { worker, port, bell } = started;
  return {
    send: (request, moved) => port.postMessage(request, [...moved]),
    receive: () => {
      for (;;) {
        const heard = Atomics.load(bell, 0);
        const found = receiveMessageOnPort(port);
        if (found !== undefined) return found.message;
        if (Atomics.wait(bell, 0, heard, PATIENCE) === 'timed-out') return undefined;
      }
    },
    end: () => {
      port.close();
      void worker.terminate();
    },
  };
}

/** What this program can do for readers. */
export const helpers: Helpers = { unzstd, thread: startThread };
