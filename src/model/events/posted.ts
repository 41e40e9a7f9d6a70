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
  (state, e, at) => {
    state.set(e.object, piDescriptor.at.control, e.words[e.at + at.control]!);
    state.set(e.object, piDescriptor.at.control + 1, e.words[e.at + at.control + 1]!);
  },
);

export const piPost = eventKind(
  'pi.post',
  'deliver',
  [piDescriptor],
  'An interrupt was posted: its bit in the PIR was set (or cleared, when the virtual CPU takes it).',
  { vector: 'u', set: 'flag', notified: 'flag' },
  (state, e, at) => {
    const vector = e.words[e.at + at.vector]! & 0xff;
    const bitMask = (1 << (vector & 31)) >>> 0;
    state.setBits(e.object, piDescriptor.at.pir + (vector >>> 5), e.words[e.at + at.set] ? bitMask : 0, bitMask);
    if (e.words[e.at + at.notified]) state.setBits(e.object, piDescriptor.at.control, on.mask, on.mask);
  },
);

export const postedEvents = [piWrite, piPost];
