/** What a whole program takes, from its start to its end. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Time by the clock, processor time of all its threads, and the largest resident size; what the system does not tell is undefined. */
export interface Run {
  readonly wall: number;
  readonly cpu: number | undefined;
  readonly peak: number | undefined;
}

/** Milliseconds between two looks at a running program. */
const LOOK = 4;
/** Milliseconds of a tick of /proc/PID/stat (USER_HZ). */
const TICK = 10;

/** What Linux tells of a running process; undefined elsewhere, and when it has ended. */
function look(pid: number): { readonly cpu: number; readonly peak: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return peak === undefined ? undefined : { cpu: (user! + system!) * TICK, peak: Number(peak) * 1024 };
  } catch {
    return undefined;
  }
}

/** Runs a program once; throws when it fails. Its output goes nowhere. */
function runOnce(command: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    let last: ReturnType<typeof look>;
    const watch = setInterval(() => {
      last = look(child.pid ?? 0) ?? last;
    }, LOOK);
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
    child.on('close', (status) => {
      clearInterval(watch);
      if (status === 0) resolve({ wall: performance.now() - start, cpu: last?.cpu, peak: last?.peak });
      else reject(new Error(`${command.join(' ')}: ${said}`));
    });
  });
}

const least = (values: readonly (number | undefined)[]): number | undefined => {
  const told = values.filter((value) => value !== undefined);
  return told.length === 0 ? undefined : Math.min(...told);
};

/** Runs several programs in turn, so that other load hits all of them; the least of each figure: other load only adds to it. */
export async function runInTurn(commands: readonly (readonly string[])[], rounds: number): Promise<Run[]> {
  const runs: Run[][] = commands.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [i, command] of commands.entries()) runs[i]!.push(await runOnce(command));
  return runs.map((list) => ({
    wall: least(list.map(({ wall }) => wall))!,
    cpu: least(list.map(({ cpu }) => cpu)),
    peak: least(list.map(({ peak }) => peak)),
  }));
}
