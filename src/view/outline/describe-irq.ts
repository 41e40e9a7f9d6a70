import { irqOfVector } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import { cpu, domain, intid, irq, pin, vector } from '../../model/things/irq.ts';
import { counted, type Describers, list, number, numbered, type Summary, text } from './describe.ts';
import { UNKNOWN } from './values.ts';

/** An irq by its number and name. */
export function irqName(state: State, object: number): string {
  const virq = state.world.node(object)?.segment ?? '';
  const name = state.present(object) ? text(state, object, irq.at.name) : '';
  return name === '' ? virq : `${virq} ${name}`;
}

function describeIrq(state: State, object: number): Summary {
  const n = (cell: number): number => state.num(object, cell);
  const prev = n(irq.at.prevVector);
  const moving = state.flag(object, irq.at.moving) === true;
  const at = n(irq.at.cpu) >= 0 || n(irq.at.vector) >= 0;
  const none = n(irq.at.vector) === 0;
  const running = n(irq.at.running);
  const masked = state.flag(object, irq.at.masked) === true;
  const lpi = n(irq.at.lpi);
  return {
    label: irqName(state, object),
    description: list(
      at &&
        (none ? 'no vector' : `cpu ${number(n(irq.at.cpu))} vector ${number(n(irq.at.vector))}`) +
          (moving ? ` (moving from cpu ${number(n(irq.at.prevCpu))}/${number(prev)})` : ''),
      lpi >= 0 && `LPI ${lpi}`,
      masked && 'masked',
      state.flag(object, irq.at.shutdown) === true && 'shut down until one of its CPUs is online',
      running >= 0 && `running on cpu ${running}`,
      state.flag(object, irq.at.allocated) === false && 'freed',
    ),
    icon: running >= 0 ? 'play' : masked ? 'bell-slash' : 'zap',
  };
}

function describeVector(state: State, object: number, segment: string): Summary {
  const virq = state.num(object, vector.at.irq);
  const name = text(state, object, vector.at.name);
  const target = irqOfVector(state, object);
  const irqText = virq < 0 ? '' : `irq ${target >= 0 ? irqName(state, target) : virq}`;
  const free = state.flag(object, vector.at.allocated) === false && virq < 0;
  return {
    label: numbered(segment),
    description: list(irqText, name, state.flag(object, vector.at.active) === true && 'running', free && 'free'),
    icon: state.flag(object, vector.at.active) === true ? 'play' : 'symbol-number',
  };
}

/** Interrupts, vectors, CPUs and wired lines. */
export const irqDescribers: Describers = [
  [irq, describeIrq],
  [
    cpu,
    (s, o, segment) => ({
      label: `CPU ${segment}`,
      description: list(
        s.flag(o, cpu.at.online) === false && 'offline',
        s.num(o, cpu.at.allocated) >= 0 && `${s.num(o, cpu.at.allocated)} vectors allocated`,
        s.num(o, cpu.at.available) >= 0 && `${s.num(o, cpu.at.available)} free`,
      ),
      icon: 'chip',
    }),
  ],
  [vector, describeVector],
  [
    intid,
    (s, o, segment) => {
      const service = s.flag(o, intid.at.inService) === true;
      const pending = s.flag(o, intid.at.requested) === true;
      return {
        label: `LPI ${segment}`,
        description: list(pending && 'pending', service && 'in service', counted(s, o, intid.at.taken, 'acknowledge')),
        icon: service ? 'play' : pending ? 'bell-dot' : 'symbol-number',
      };
    },
  ],
  [
    domain,
    (s, o, segment) => ({
      label: segment === 'VECTOR' ? 'Vector domain' : segment,
      description: list(
        s.num(o, domain.at.parent) >= 0 && `on ${text(s, o, domain.at.parent)}`,
        s.num(o, domain.at.onlineMaps) >= 0 && `${s.num(o, domain.at.onlineMaps)} CPUs`,
        s.num(o, domain.at.allocated) >= 0 && `${s.num(o, domain.at.allocated)} vectors allocated`,
        s.num(o, domain.at.reserved) >= 0 && `${s.num(o, domain.at.reserved)} reserved`,
        s.num(o, domain.at.available) >= 0 && `${s.num(o, domain.at.available)} free`,
      ),
      icon: 'type-hierarchy',
    }),
  ],
  [
    pin,
    (s, o, segment) => ({
      label: `pin ${segment}`,
      description: list(
        s.flag(o, pin.at.level) === undefined ? UNKNOWN : s.flag(o, pin.at.level) ? 'high' : 'low',
        counted(s, o, pin.at.changes, 'change'),
      ),
      icon: 'plug',
    }),
  ],
];
