// Threads as readers get them from a shell, here without a thread of their own: requests are answered when an answer is wanted.
import type { Helpers, Thread } from '../../src/import/helpers.ts';
import { PageServer, type Request } from '../../src/import/tracedat/thread.ts';

/** Answers requests with copies, as a message between threads is one; after `answers` of them the thread is gone. */
export function threadOf(
  served: Helpers = {},
  answers = Number.POSITIVE_INFINITY,
): Thread & { readonly given: number } {
  const server = new PageServer(served);
  const requests: Request[] = [];
  let given = 0;
  let ended = false;
  return {
    get given(): number {
      return given;
    },
    send: (request, moved) => {
      if (ended) throw new Error('the thread was ended');
      requests.push(structuredClone(request, { transfer: [...moved] }) as Request);
    },
    receive: () => {
      const request = requests.shift();
      if (request === undefined) throw new Error('nothing was asked');
      if (given === answers) return undefined;
      given++;
      const { answer, moved } = server.answer(request);
      return structuredClone(answer, { transfer: [...moved] });
    },
    end: () => {
      ended = true;
    },
  };
}
