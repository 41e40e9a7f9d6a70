import { itsError, itsMapd } from '../../model/events/its.ts';
import { each } from '../history.ts';
import type { Rule } from '../rule.ts';
import { itsDeviceName } from './its-names.ts';

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
  needsAll: false,
  confirm: 'GITS_TYPER (Devbits, ID_bits) and GITS_BASER of the device table; dmesg for "ITS@" lines at boot',
  watch(report) {
    return each((step, { kind, object, words, at }, state) => {
      if (kind === itsMapd) return true;
      const { strings } = state.world;
      const { text, reason } = itsError.read(words, at);
      if (!/MAPD/.test(strings.text(text))) return false;
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
