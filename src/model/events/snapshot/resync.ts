import { eventKind } from '../../event.ts';
import { cpu, irq, vector } from '../../things/irq.ts';
import { bar, device, msi, msixCap } from '../../things/pci.ts';
import { irte, itsCollection, itsEvent } from '../../things/remap.ts';

/** A value that a snapshot contradicts. Object: what has the key. The event of the snapshot follows and writes the value. */
export const snapResync = eventKind(
  'snap.resync',
  'look',
  [irq, cpu, vector, irte, itsEvent, itsCollection, device, bar, msixCap, msi],
  'Resynchronised: a snapshot shows another value than the events told. It changed unobserved since the time at which it was last told.',
  { key: 's', old: 's', new: 's', since: 's?' },
);
