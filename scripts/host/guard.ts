// Runs a command as its own process group and ends the whole group when the caller goes away, however it goes: the caller
// holds the other end of standard input, and even kill -9 closes that. Usage: guard.ts TEMP_FOLDER_OR_EMPTY COMMAND ARGS...
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

const [temporary = '', command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] });

function signalGroup(signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in the group.
  }
}

let ending = false;
function end(): void {
  if (ending) return;
  ending = true;
  signalGroup('SIGTERM');
  setTimeout(signalGroup, 2000, 'SIGKILL').unref();
}

function leave(code: number): never {
  signalGroup('SIGKILL');
  if (temporary !== '') rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  process.exit(code);
}

child.on('error', (error) => {
  console.error(`${command}: ${error.message}`);
  leave(127);
});
child.on('exit', (code, signal) => {
  if (signal !== null && !ending) console.error(`${command} was ended by ${signal}`);
  leave(code ?? 1);
});
process.stdin.resume();
process.stdin.on('end', end);
process.stdin.on('error', end);
process.on('SIGTERM', end);
process.on('SIGHUP', end);
// Ctrl-C is for the caller, who then closes standard input.
process.on('SIGINT', () => {});
// The log pipe may be gone before the child is.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
