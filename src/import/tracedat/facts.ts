/** What the options of a trace.dat file say of the machine and of the recording. */
import { textOf } from '../../base/bytes.ts';
import type { Source } from '../../trace/source.ts';
import { optionTexts } from './clock.ts';
import { type Contents, OPTION, optionCursor } from './contents.ts';
import { Trouble } from './file.ts';
import { checkCpus } from './parts.ts';

/** The names of processes by their numbers: lines `pid name` (saved_cmdlines of tracefs). */
export function processNames(cmdlines: Uint8Array): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of textOf(cmdlines).split('\n')) {
    const m = /^(\d{1,10}) (.{1,64})$/.exec(line);
    if (m) names.set(Number(m[1]), m[2]!);
  }
  return names;
}

/** Says in words what the file tells: its version and packing, who wrote it, the kernel, its instances. */
export function tellFacts(source: Source, contents: Contents): void {
  const { head } = contents;
  const [writer] = optionTexts(contents, OPTION.version);
  // sysname, nodename, release, machine (uname); the name of the machine is nobody's business.
  const uname = optionTexts(contents, OPTION.uname)[0]?.split(' ') ?? [];
  const instances = contents.buffers.map(({ name }) => name).filter((name) => name !== '');
  const parts = [
    `version ${head.version}`,
    head.version === 6 ? '' : head.packing === 'none' ? 'not packed' : head.packing,
    head.big ? 'big-endian' : '',
    writer === undefined ? '' : `trace-cmd ${writer.split(' ')[0]}`,
    uname.length < 4 ? '' : `kernel ${uname[2]} ${uname.at(-1)}`,
    instances.length === 0 ? '' : `${instances.length === 1 ? 'instance' : 'instances'} ${instances.join(', ')}`,
  ];
  source.variant = parts.filter((part) => part !== '').join(', ');
}

/** How many CPUs the machine has, as an option tells; 0 where none does. */
export function cpuCount(contents: Contents): number {
  for (const option of contents.options)
    if (option.id === OPTION.cpuCount && option.data.size >= 4)
      return guarded(contents, 0, () =>
        checkCpus(optionCursor(option, contents.head.big).number(4, 'the number of CPUs'), option.place),
      );
  return 0;
}

/** The threads that run CPUs of guests, as options tell: each CPU of a guest is a thread of the virtual machine monitor. */
export function guestThreads(contents: Contents): { readonly thread: number; readonly vcpu: number }[] {
  const threads: { thread: number; vcpu: number }[] = [];
  for (const option of contents.options) {
    if (option.id !== OPTION.guest) continue;
    guarded(contents, undefined, () => {
      const what = 'the option of a guest';
      const c = optionCursor(option, contents.head.big);
      c.text(what);
      c.number(8, what);
      const count = checkCpus(c.number(4, what), option.place);
      for (let i = 0; i < count; i++) {
        const vcpu = c.number(4, what);
        threads.push({ vcpu, thread: c.number(4, what) });
      }
    });
  }
  return threads;
}

function guarded<T>(contents: Contents, otherwise: T, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    contents.wrong(error.message);
    return otherwise;
  }
}
