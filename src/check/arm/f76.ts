import { itsError, itsMapd } from '../../model/events/its.ts';
import { mark, message } from '../../model/events/notes.ts';
import { each } from '../history.ts';
import { textOf } from '../names.ts';
import type { Rule } from '../rule.ts';
import { itsDeviceName, refusesMapd } from './its-names.ts';

/** What the ITS driver says where it makes a table smaller (its_parse_indirect_baser). */
const REDUCED = /\bTable too large, reduce ids\b/;

/** F76. */
export const mapsDevices: Rule<'F76'> = {
  id: 'F76',
  names: [],
  title: 'Device does not fit into the tables of the ITS',
  meaning: 'The ITS takes every MAPD: the DeviceID lies inside its device table, and the size inside its EventID bits.',
  severity: 'error',
  reference:
    'Arm GIC (IHI 0069) 5.3.11: MAPD errors 0x010801, 0x010802; irq-gic-v3-its.c ("Table too large, reduce ids")',
  kinds: [itsMapd, itsError],
  needs: [[itsMapd, itsError]],
  alone: [message, mark],
  needsAll: false,
  confirm: 'GITS_TYPER (Devbits, ID_bits) and GITS_BASER of the device table; dmesg for "ITS@" lines at boot',
  watch(report) {
    return each((step, happened, state) => {
      const { kind, object, words, at } = happened;
      if (kind === itsMapd) return true;
      if (kind === message || kind === mark) {
        const text = textOf(state.world, happened);
        if (!REDUCED.test(text)) return false;
        report({
          step,
          object,
          severity: 'warning',
          title: 'A table of the ITS is smaller than its ids',
          text: `The kernel says: ${text.trim()}. Devices whose DeviceID lies behind the table get no interrupts.`,
          evidence: [],
        });
        return true;
      }
      const { strings } = state.world;
      const { text, reason } = itsError.read(words, at);
      if (!refusesMapd(strings.text(text))) return false;
      const said = strings.text(reason ?? text);
      report({
        step,
        object,
        title: `The ITS refused to map ${itsDeviceName(state.world, object)}: ${said}`,
        text: `The ITS ignored MAPD for ${itsDeviceName(state.world, object)}: ${said}. The device has no translation table: all of its messages are lost.`,
        evidence: [],
      });
      return true;
    });
  },
};
