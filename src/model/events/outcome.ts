import { eventKind } from '../event.ts';

/** Why something that was due did not happen. Object: where it ended. */
export const dropped = eventKind(
  'drop',
  'fault',
  [],
  'A cause or message ended here and will not be delivered. `reason`: why.',
  {
    reason: 's',
    cause: 'u?',
  },
);

/** Legal coalescing. Object: where both met. */
export const merged = eventKind(
  'merge',
  'deliver',
  [],
  'A cause met one that was already waiting in the same place; both are served by one interrupt.',
  { cause: 'u', into: 'u?' },
);

/** What the trace cannot tell. Object: what would have to be known. */
export const untold = eventKind(
  'untold',
  'fault',
  [],
  'What follows cannot be told: it depends on state that the trace does not show.',
  { what: 's', cause: 'u?' },
);

/** An access or order of accesses that the specification forbids or leaves undefined. Object: what was accessed. */
export const illegal = eventKind(
  'illegal',
  'fault',
  [],
  'Something was done that the specification forbids or leaves undefined; the events around it show what it led to.',
  { rule: 's', text: 's' },
);

export const outcomeEvents = [dropped, merged, untold, illegal];
