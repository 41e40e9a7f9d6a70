import { irqDescriptor } from '../../model/things/irq.ts';
import type * as things from '../../model/things/snapshot.ts';
import { kernelCount, listing } from '../../model/things/snapshot.ts';
import type { Presentation, PresentationsOf } from './presentation.ts';
import { key, list } from './words.ts';

/** The descriptor of an irq, which only snapshots show. */
export const descriptorView: Presentation = {
  unit: ['descriptor', 'descriptors'],
  label: () => 'descriptor',
  icon: 'note',
  describe: (state, object) => {
    const depth = state.num(object, irqDescriptor.at.disableDepth);
    return list(state.text(object, irqDescriptor.at.flowHandler), depth > 0 && 'disabled');
  },
};

const listingView: Presentation = {
  unit: ['listing', 'listings'],
  label: (segment) => segment,
  icon: 'list-flat',
  describe: (state, object) =>
    list(
      `CPUs ${key(state, object, 'cpus')}`,
      state.num(object, listing.at.irqs) >= 0 && `irqs ${key(state, object, 'irqs')}`,
    ),
};

const countView: Presentation = {
  unit: ['count', 'counts'],
  label: (segment) => segment,
  name: kernelCount.at.text,
  icon: 'zap',
  describe: (state, object) => key(state, object, 'handled'),
};

const blockView: Presentation = {
  unit: ['block', 'blocks'],
  label: (segment) => segment,
  icon: 'note',
  describe: () => '',
};

/** What only snapshots show. */
export const snapshotPresentations: PresentationsOf<typeof things> = {
  listing: listingView,
  kernelCount: countView,
  countBlock: blockView,
};
