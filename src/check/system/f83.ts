import { mark, message } from '../../model/events/notes.ts';
import { irFault } from '../../model/events/remap.ts';
import type { Rule } from '../rule.ts';
import { TextSearch } from './texts.ts';

/** What the VT-d driver (drivers/iommu/intel/dmar.c) says when the invalidation queue fails; other lines of it are not meant. */
const QUEUE_ERROR =
  /Invalidation (?:Queue|Completion|Time-?out) Error|QI HEAD: |ITE\) cleared|IQE\) cleared|invalidation queue (?:is )?(?:full|stuck)/i;

/** That the kernel cleared an error ends its report. */
const CLEARED = /cleared/i;

/** Which line of a report it is: the error that was found or cleared, or the dump of the queue. */
const lineOf = (text: string): string =>
  `${CLEARED.test(text) ? 'cleared ' : ''}${QUEUE_ERROR.exec(text)![0].toLowerCase()}`;

/** F83. */
export const invalidationQueueWorks: Rule<'F83'> = {
  id: 'F83',
  names: [],
  title: 'Remapping unit does not complete invalidations',
  meaning: 'The invalidation queue of a remapping unit completes what is put into it; no error stops it.',
  severity: 'error',
  reference: 'drivers/iommu/intel/dmar.c qi_check_fault, qi_submit_sync; VT-d 6.5.2.10',
  kinds: [message, mark, irFault],
  needs: [[message, mark, irFault]],
  needsAll: false,
  confirm: 'the kernel log around it (trace event printk:console) and debugfs iommu/intel/invalidation_queue',
  watch(report, { world }) {
    const search = new TextSearch(world, QUEUE_ERROR);
    /** The lines of the report that the kernel is making: the errors that it found, the queue, what it cleared. It is told once. */
    const lines = new Set<string>();
    let ended = false;
    let judged = 0;
    return {
      event(step, { kind, object, words, at }) {
        const id =
          kind === irFault
            ? (irFault.read(words, at).text ?? 0)
            : kind === mark
              ? mark.read(words, at).text
              : message.read(words, at).text;
        const text = search.find(id);
        if (text === undefined) return;
        judged++;
        const line = lineOf(text);
        const cleared = CLEARED.test(text);
        const same = lines.size > 0 && !lines.has(line) && (cleared || !ended);
        if (!same) lines.clear();
        lines.add(line);
        ended = cleared;
        if (same) return;
        report({
          step,
          object,
          title: 'An invalidation of the remapping unit failed',
          text: `The kernel reports: ${text}. Entries that should have been invalidated may still be in the cache of the unit, and later invalidations wait behind the one that failed.`,
          evidence: [],
        });
      },
      lost() {
        lines.clear();
      },
      get judged() {
        return judged;
      },
    };
  },
};
