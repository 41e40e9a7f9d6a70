import type * as things from '../../model/things/riscv.ts';
import { aplicSource, imsic, imsicId } from '../../model/things/riscv.ts';
import { flagLayer, pending, strip } from './layer.ts';
import type { PresentationsOf } from './presentation.ts';
import { counted, list, number } from './words.ts';

/** Interrupt files of RISC-V harts. */
export const riscvPresentations: PresentationsOf<typeof things> = {
  imsic: {
    unit: ['interrupt file', 'interrupt files'],
    label: () => 'Interrupt file (IMSIC)',
    alone: () => 'interrupt file',
    icon: 'inbox',
    describe: (state, object) => `${number(state.num(object, imsic.at.identities))} identities`,
    layers: [],
  },
  imsicId: {
    unit: ['identity', 'identities'],
    label: (segment) => `identity ${segment}`,
    icon: 'symbol-number',
    signal: (state, object) => (state.flag(object, imsicId.at.requested) === true ? 'bell-dot' : 'symbol-number'),
    describe: (state, object) => {
      const virq = state.num(object, imsicId.at.irq);
      return list(
        virq >= 0 && `irq ${virq}`,
        state.flag(object, imsicId.at.enabled) === false && 'not enabled',
        state.flag(object, imsicId.at.requested) === true && 'pending',
        counted(state, object, imsicId.at.taken, 'claim'),
      );
    },
    layers: [
      flagLayer({ name: 'enabled', on: 'enabled', off: 'not enabled', style: 'hold' }, imsicId.at.enabled),
      strip(flagLayer(pending, imsicId.at.requested)),
    ],
  },
  aplic: {
    unit: ['APLIC', 'APLICs'],
    label: (segment) => `APLIC ${segment}`,
    icon: 'plug',
    describe: () => '',
    layers: [],
  },
  aplicSource: {
    unit: ['source', 'sources'],
    label: (segment) => `source ${segment}`,
    icon: 'symbol-event',
    signal: (state, object) => (state.flag(object, aplicSource.at.requested) === true ? 'bell-dot' : 'symbol-event'),
    describe: (state, object) => {
      const virq = state.num(object, aplicSource.at.irq);
      return list(
        virq >= 0 && `irq ${virq}`,
        state.flag(object, aplicSource.at.enabled) === false && 'not enabled',
        state.flag(object, aplicSource.at.input) === true && 'asserted',
        state.flag(object, aplicSource.at.requested) === true && 'pending',
        counted(state, object, aplicSource.at.sent, 'message'),
      );
    },
    layers: [
      flagLayer({ name: 'enabled', on: 'enabled', off: 'not enabled', style: 'hold' }, aplicSource.at.enabled),
      strip(flagLayer(pending, aplicSource.at.requested)),
    ],
  },
};
