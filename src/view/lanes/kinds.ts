import type { Role } from '../../model/event.ts';
import { vocabulary } from '../../model/vocabulary.ts';
import { MARK, type MarkName } from './marks.ts';

/** The mark of the events of a role. */
export function markOfRole(role: Role): MarkName {
  switch (role) {
    case 'fault':
    case 'note':
    case 'raise':
    case 'deliver':
    case 'eoi':
    case 'move':
    case 'invalidate':
    case 'translate':
    case 'call':
      return role;
    case 'message':
      return 'send';
    case 'store':
      return 'write';
    case 'look':
      return 'read';
    case 'handle':
      return 'edge';
    case 'mask':
    case 'configure':
    case 'allocate':
      return 'change';
    case 'loss':
    case 'begin':
      return 'lost';
  }
}

/** The mark of each event kind, by the kind's number. */
export const markOfKind: Uint8Array = Uint8Array.from(vocabulary, ({ role }) => MARK[markOfRole(role)]);
