import { eventKind } from '../../event.ts';
import { vcpu } from '../../things/virt.ts';

/** Object: the virtual CPU. Only simulated traces tell it. */
export const guestVe = eventKind(
  'guest.ve',
  'call',
  [vcpu],
  'The TDX module gave the guest an exception (#VE) for what it may not do by itself; the guest asks the host for it (TDVMCALL). `instead`: the exit that an ordinary guest would have made.',
  { instead: 's' },
);

export const tdxEvents = [guestVe];
