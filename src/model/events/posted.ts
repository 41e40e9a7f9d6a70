import { eventKind } from '../event.ts';
import { postedControl } from '../registers/posted.ts';
import { piDescriptor } from '../things/ims.ts';

const { on } = postedControl.f;

/** A change of a posted-interrupt descriptor. Object: the descriptor. */
export const piWrite = eventKind(
  'pi.write',
  'store',
  [piDescriptor],
  'The control word of a posted-interrupt descriptor was written.',
  { control: 'xx' },
  (state, e, a) => {
    state.set(e.object, piDescriptor.at.control, a.control(0));
    state.set(e.object, piDescriptor.at.control + 1, a.control(1));
  },
);

export const piPost = eventKind(
  'pi.post',
  'deliver',
  [piDescriptor],
  'An interrupt was posted: its bit in the PIR was set (or cleared, when the virtual CPU takes it).',
  { vector: 'u', set: 'flag', notified: 'flag' },
  (state, e, a) => {
    const vector = a.vector & 0xff;
    const bitMask = (1 << (vector & 31)) >>> 0;
    state.setBits(e.object, piDescriptor.at.pir + (vector >>> 5), a.set ? bitMask : 0, bitMask);
    if (a.notified) state.setBits(e.object, piDescriptor.at.control, on.mask, on.mask);
  },
);

export const postedEvents = [piWrite, piPost];
