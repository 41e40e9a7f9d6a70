import { nearest } from '../query/nearest.ts';
import { commands, type Listed } from './catalogue.ts';
import type { Command, Context } from './command.ts';
import { DONE, Failure } from './failure.ts';
import { version } from './version.ts';

const helpOf = (command: Command): string => `Usage: irqscope ${command.name} ${command.usage}\n\n${command.help}\n`;

async function help(): Promise<string> {
  const { TITLES } = await import('../import/detect.ts');
  const width = Math.max(...commands.map((c) => c.name.length));
  const list = commands.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}\n`).join('');
  return `The state of the interrupt system at any step of a trace: MSI, MSI-X and IMS from device to CPU.

Usage: irqscope COMMAND FILE [OPTIONS]

Commands:
${list}
FILE is a trace (${TITLES.join(', ')}), recognised by its content, plain or packed
with gzip or zstd; - is standard input. A step is the number of an event, from 0. Objects have paths, such as
device/0000:00:03.0/msix/0 or cpu/2/vector/38; a key or a field of an object follows, as in .../msix/0/control.mask.

  --json              every command: JSON for programs instead of text
  COMMAND --help      what a command does, its options, examples
  --version           the version of irqscope

Exit status: 0 done; 1 check found an error, or diff a difference; 2 bad usage or input that cannot be read
(one line on stderr says why).
`;
}

const isHelp = (word: string | undefined): boolean => word === '--help' || word === '-h';

function commandNamed(name: string): Listed {
  const command = commands.find((c) => c.name === name);
  if (command) return command;
  const names = commands.map((c) => c.name);
  const near = nearest(name, names, 1);
  if (name.startsWith('-')) throw new Failure(`options follow the command: irqscope COMMAND FILE ${name}`);
  const instead = near.length > 0 ? `did you mean ${near[0]}?` : `there are ${names.join(', ')}`;
  throw new Failure(`there is no command ${name}; ${instead}`);
}

/** Does what the arguments ask for; returns the exit status, or throws Failure. */
export async function answer(args: readonly string[], context: Context): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined) throw new Failure('no command; irqscope --help lists them');
  if (isHelp(first) || (first === 'help' && (rest.length === 0 || isHelp(rest[0])))) context.out.add(await help());
  else if (first === 'help') context.out.add(helpOf(await commandNamed(rest[0]!).load()));
  else if (first === '--version' || first === '-V') context.out.line(version());
  else {
    const command = await commandNamed(first).load();
    const options = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
    if (!options.some(isHelp)) return command.run(rest, context);
    context.out.add(helpOf(command));
  }
  return DONE;
}
