import type { Rule } from '../rule.ts';
import { sendsOwnMessage } from './r10.ts';
import { staysEnabled } from './r11.ts';
import { waitsBehindMask } from './r12.ts';

/** The rules of messages on their way from a function. */
export const messageRules: readonly Rule[] = [sendsOwnMessage, staysEnabled, waitsBehindMask];
