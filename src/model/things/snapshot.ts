// What only snapshots show: /proc, /sys/kernel/irq, debugfs.
import { objectType } from '../objects.ts';

/** Counts of one thing on some CPUs: `counts/<path of the thing>/<number of the block>`. Answers show them as `perCpu` of the thing. */
export const countBlock = objectType('counts', 'Counts of an interrupt on 32 CPUs, as a snapshot shows them.', {
  counts: { kind: 'hex', words: 32, hidden: true, meaning: 'The count on each CPU, the lowest number first.' },
});

/** What a kernel listed at one moment: `snapshot/<name of the file>`. */
export const listing = objectType('listing', 'A file of the kernel that lists what there is at one moment.', {
  cpus: { kind: 'text', meaning: 'CPUs for which it has a column, as a list.' },
  irqs: { kind: 'text', meaning: 'Linux irqs that it lists, as a list of numbers; unknown where it may lack some.' },
});

/** A count that the kernel keeps for each CPU: `arch/<label>` of /proc/interrupts, `softirq/<name>` of /proc/softirqs. */
export const kernelCount = objectType(
  'kernelcount',
  'A count that the kernel keeps for each CPU: of an interrupt of the architecture, or of a softirq.',
  {
    text: { kind: 'text', meaning: 'What it counts, in the words of the kernel.' },
    total: { kind: 'hex', words: 2, hidden: true, meaning: 'Its number, where it is one for all CPUs.' },
    counted: { kind: 'num', hidden: true, meaning: 'One more than the highest CPU with a count.' },
  },
);
