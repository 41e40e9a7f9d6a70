import { itsInv, itsTrans, lpiLoad, lpiWrite } from '../../model/events/its.ts';
import { cellTarget } from '../../model/references.ts';
import { itsEvent, lpiConfig } from '../../model/things/remap.ts';
import { before, LastEvents, Now, steps } from '../history.ts';
import type { Rule } from '../rule.ts';

/** F78. */
export const invalidatesConfiguration: Rule<'F78'> = {
  id: 'F78',
  names: ['INV-INV'],
  title: 'Configuration of an LPI was not invalidated',
  meaning:
    'After the configuration byte of an LPI is written, INV or INVALL makes the redistributor read it, before a message of it arrives.',
  severity: 'error',
  reference: 'Arm GIC (IHI 0069) 5.3.9; irq-gic-v3-its.c lpi_update_config',
  kinds: [lpiWrite, lpiLoad, itsTrans],
  needs: [[lpiWrite]],
  needsAll: false,
  confirm: 'a kprobe on its_send_inv (or GICR_INVLPIR with direct LPIs) behind lpi_update_config',
  watch(report, scene) {
    /** LPIs whose byte differs from what the redistributor holds. */
    const open = new LastEvents();
    const now = new Now();
    let judged = 0;
    return {
      event(step, happened, state) {
        const { kind, object } = happened;
        const time = now.at(happened);
        const L = lpiConfig.at;
        if (kind === lpiLoad) open.forget(object);
        else if (kind === lpiWrite) {
          judged++;
          const cached = state.flag(object, L.cached);
          if (cached === undefined || cached === state.flag(object, L.enabled)) open.forget(object);
          else if (!open.has(object)) open.note(object, step, time);
        } else {
          const lpi = open.size === 0 ? -1 : cellTarget(state, object, itsEvent, 'lpi');
          if (lpi < 0 || !open.has(lpi)) return;
          const since = open.step(lpi)!;
          const ago = before(scene, open.ago(lpi, time), open.step(lpi), step);
          const enabled = state.flag(lpi, L.enabled) === true;
          const number = state.world.node(lpi)?.segment ?? '?';
          open.forget(lpi);
          report({
            step,
            object: lpi,
            title: `LPI ${number} was ${enabled ? 'enabled' : 'disabled'} and not invalidated, and a message came for it`,
            text: `The configuration byte of LPI ${number} was written${ago === '' ? '' : ` ${ago}`}, and no INV made the redistributor read it: it still holds the LPI as ${enabled ? 'disabled, so that the interrupt stays pending' : 'enabled, so that it is delivered although it is masked'}.`,
            evidence: steps(since),
            // Without an INV nothing sends it out of the pending table. A disabled one was delivered.
            lost: enabled,
            absent: { since, kinds: [lpiLoad, itsInv] },
          });
        }
      },
      lost: () => open.clear(),
      get judged() {
        return judged;
      },
    };
  },
};
