import type { OperationSpec } from '../operation.ts';
import type { Setup } from '../setup.ts';
import { type Ntb, ntbs } from './ntb.ts';

const bridgeOf = (setup: Setup, object: string): Ntb | undefined => setup.find(ntbs)?.get(object.split('/')[1] ?? '');

const missing = (object: string): string => `the system has no NTB ${object.split('/')[1]}`;

/** Peer and descriptor of a path `ntb/<bdf>/peer/<p>/desc/<i>`. */
function copyOf(object: string): { readonly peer: number; readonly index: number } {
  const parts = object.split('/');
  return { peer: Number(parts[3]), index: Number(parts[5]) };
}

/** Operations on a non-transparent bridge and its peers. */
export const ntbOperations: readonly OperationSpec[] = [
  {
    name: 'ntb.share',
    title: 'Share an interrupt with the peers',
    meaning:
      'The driver of the bridge tells its peers offset and data of the message of an MSI-X entry, and again whenever the message is written.',
    on: ['device/*'],
    args: [{ name: 'index', type: 'number', min: 0, max: 2047, meaning: 'MSI-X entry whose interrupt is requested.' }],
    actor: { layer: 'driver', name: 'ntb', cpu: 0 },
    refuses: (setup, object) => (bridgeOf(setup, object) ? undefined : missing(object)),
    *run(setup, object, { index }) {
      bridgeOf(setup, object)!.share(Number(index));
    },
  },
  {
    name: 'ntb.trigger',
    title: 'Trigger as the peer',
    meaning:
      'The peer writes the data that it holds at the offset that it holds into the memory window: a message of this bridge.',
    on: ['ntb/*/peer/*/desc/*'],
    args: [],
    actor: { layer: 'device', name: 'peer', cpu: -1 },
    refuses: (setup, object) => {
      const bridge = bridgeOf(setup, object);
      if (!bridge) return missing(object);
      const { peer, index } = copyOf(object);
      return bridge.told(peer, index) ? undefined : `peer ${peer} was told nothing of descriptor ${index}`;
    },
    *run(setup, object) {
      const { peer, index } = copyOf(object);
      bridgeOf(setup, object)!.trigger(peer, index);
    },
  },
];
