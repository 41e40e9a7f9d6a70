// The thread that readers of large packed files use (src/import/tracedat/thread.ts): it answers requests until it is ended.
import { type MessagePort, workerData } from 'node:worker_threads';
import { PageServer, type Request } from '../import/tracedat/thread.ts';
import { unzstd } from './unzstd.ts';

/** What the thread is started with: where requests come in, and a word that counts the answers. */
const { port, bell } = workerData as { readonly port: MessagePort; readonly bell: Int32Array };
const server = new PageServer({ unzstd });

port.on('message', (request: Request) => {
  const { answer, moved } = server.answer(request);
  port.postMessage(answer, [...moved]);
  Atomics.add(bell, 0, 1);
  Atomics.notify(bell, 0);
});
