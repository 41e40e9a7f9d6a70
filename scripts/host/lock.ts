// A lock between processes: a file with the id of the process that holds it.
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Takes the lock, or waits for it and says once for what; a holder that is gone does not count. */
export async function lock(path: string, waitingFor: string): Promise<() => void> {
  let told = false;
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      const unlock = (): void => rmSync(path, { force: true });
      process.once('exit', unlock);
      return unlock;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (holderIsGone(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) console.error(`Another process is installing ${waitingFor}; waiting for it.`);
    told = true;
    await sleep(1000);
  }
}

function holderIsGone(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // An empty file is a lock that is just being written.
    return pid === 0 ? Date.now() - statSync(path).mtimeMs > 10_000 : !isAlive(pid);
  } catch {
    return true;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
