import type { Command } from './command.ts';

/** A subcommand in the list of all: the code that does it is loaded when it is asked for, which halves the time to start. */
export interface Listed {
  readonly name: string;
  /** What it does, in a line. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Commands that need the same code are loaded together. */
const reading = () => import('./reading.ts');
const judging = () => import('./judging.ts');
const writing = () => import('./writing.ts');
const simulating = () => import('./simulating.ts');

/** All subcommands, in the order in which help lists them. */
export const commands: readonly Listed[] = [
  {
    name: 'info',
    summary: 'the format of a trace, and how each of its lines was read',
    load: async () => (await reading()).info,
  },
  {
    name: 'events',
    summary: 'its events, in the order in which they were recorded',
    load: async () => (await reading()).events,
  },
  {
    name: 'state',
    summary: 'the state of the interrupt system after an event',
    load: async () => (await reading()).state,
  },
  {
    name: 'history',
    summary: 'every write of an object, of one of its keys, or of a field',
    load: async () => (await reading()).history,
  },
  {
    name: 'interrupts',
    summary: 'one row for each interrupt, from the device entry to the CPU, the worst first',
    load: async () => (await judging()).interrupts,
  },
  {
    name: 'path',
    summary: 'the way of one interrupt: from its cause to the end of interrupt, or to where it was lost',
    load: async () => (await judging()).path,
  },
  {
    name: 'check',
    summary: 'what is wrong in a trace: lost interrupts, stale entries, leaks, with the evidence',
    load: async () => (await judging()).check,
  },
  {
    name: 'diff',
    summary: 'what differs between two traces, or between two steps: the first divergence, then all others',
    load: async () => (await judging()).diff,
  },
  {
    name: 'stats',
    summary: 'counts, rates, latencies and service times by irq, vector, CPU, function, virtual CPU or kind',
    load: async () => (await reading()).stats,
  },
  {
    name: 'explain',
    summary: 'what a message, a table entry, a hwirq, a fault reason or a register value means',
    load: async () => (await reading()).explain,
  },
  {
    name: 'convert',
    summary: 'write a trace in another format, or a folder of captures as tables',
    load: async () => (await writing()).convert,
  },
  {
    name: 'scenarios',
    summary: 'the bundled scenarios of the simulator',
    load: async () => (await simulating()).scenarios,
  },
  {
    name: 'simulate',
    summary: 'run a scenario; write its trace, or compare designs',
    load: async () => (await simulating()).simulate,
  },
  {
    name: 'kit',
    summary: 'write the script that records on another machine, or the events to record under QEMU',
    load: async () => (await writing()).kit,
  },
];
