// What editors offer to insert into a scenario file: snippets of its JSON schema. They are part of the schema and not snippets of the
// language, so that other JSON files do not have them. A test fills in their first values and runs them.
import { newScenario } from '../src/sim/text/new-scenario.ts';

/** A snippet of a JSON schema, as the editor's JSON language reads it. */
export interface Snippet {
  readonly label: string;
  readonly description: string;
  /** What is inserted; `${1:text}` is a place to fill in, a text that begins with `^` has no quotation marks. */
  readonly body?: unknown;
  /** The same as text, where it has comments. */
  readonly bodyText?: string;
}

/** A place to fill in, and what stands there first. */
const hole = (n: number, first: string): string => `\${${n}:${first}}`;

const entry = `device/${hole(2, '0000:03:00.0')}/msix/${hole(3, '0')}`;

/** Snippets by the place of the schema that offers them; `[]` is an item of a list. */
export const snippets: Readonly<Record<string, readonly Snippet[]>> = {
  '': [
    {
      label: 'New scenario',
      description: 'A system that works, with a comment on every part.',
      bodyText: newScenario(hole(1, 'My scenario')),
    },
  ],
  'devices[]': [
    {
      label: 'Function of the host',
      description: 'A function whose driver requests its interrupts at boot.',
      body: { bdf: hole(1, '0000:03:00.0'), name: hole(2, 'nvme'), vectors: `^${hole(3, '4')}` },
    },
    {
      label: 'Function without driver',
      description: 'A function that is to be assigned to a guest.',
      body: { bdf: hole(1, '0000:04:00.0'), name: hole(2, 'nic'), vectors: `^${hole(3, '4')}`, driver: 'none' },
    },
  ],
  'vms[]': [
    {
      label: 'Virtual machine',
      description: 'A virtual machine with an emulated function.',
      body: {
        id: `^${hole(1, '1')}`,
        devices: [{ bdf: hole(2, '0000:00:03.0'), name: hole(3, 'virtio-net'), vectors: `^${hole(4, '2')}` }],
      },
    },
  ],
  'workload[]': [
    {
      label: 'Causes',
      description: 'A cause arises in the device, again and again.',
      body: {
        at: hole(1, '50us'),
        op: 'device.raise',
        object: entry,
        every: hole(4, '20us'),
        times: `^${hole(5, '10')}`,
      },
    },
    {
      label: 'Mask an entry',
      description: 'The vector control of an entry gets its mask bit.',
      body: { at: hole(1, '100us'), op: 'entry.mask', object: entry },
    },
    {
      label: 'Unmask an entry',
      description: 'The mask bit goes; a pending cause leaves.',
      body: { at: hole(1, '200us'), op: 'entry.unmask', object: entry },
    },
    {
      label: 'Move an irq',
      description: 'The affinity of an irq becomes other CPUs.',
      body: { at: hole(1, '100us'), op: 'irq.affinity', object: `irq/${hole(2, '24')}`, cpus: [`^${hole(3, '1')}`] },
    },
    {
      label: 'Take a CPU offline',
      description: 'Its irqs move to others.',
      body: { at: hole(1, '100us'), op: 'cpu.offline', object: `cpu/${hole(2, '1')}` },
    },
  ],
};
