import type { ObjectId } from '../../base/ids.ts';
import { irqOfVector } from '../../model/references.ts';
import type { State } from '../../model/state.ts';
import type * as things from '../../model/things/irq.ts';
import { cpu, domain, intid, irq, irqThread, pin, softirq, vector } from '../../model/things/irq.ts';
import { imsicId } from '../../model/things/riscv.ts';
import { OFF, ON, UNKNOWN as UNKNOWN_VALUE } from '../lanes/values.ts';
import { UNKNOWN } from '../values.ts';
import {
  cpuHandlers,
  cpuSystem,
  flagLayer,
  inService,
  irqHandlers,
  level,
  pending,
  requested,
  strip,
  threeValued,
} from './layer.ts';
import type { Presentation, PresentationsOf } from './presentation.ts';
import { descriptorView } from './snapshot.ts';
import { counted, list, many, number, numbered } from './words.ts';

/** The irq that a vector is assigned to, by its number and the name that the trace gives to it; empty for none. */
function irqName(state: State, object: ObjectId): string {
  const virq = state.num(object, vector.at.irq);
  if (virq < 0) return '';
  const target = irqOfVector(state, object);
  const name = state.present(target) ? state.text(target, irq.at.name) : '';
  return name === '' ? `irq ${virq}` : `irq ${virq} ${name}`;
}

/** Where an irq is delivered to, and where it moves from. */
function placeOf(state: State, object: ObjectId): string {
  const n = (cell: number): number => state.num(object, cell);
  if (n(irq.at.cpu) < 0 && n(irq.at.vector) < 0) return '';
  const from = `cpu ${number(n(irq.at.prevCpu))}/${number(n(irq.at.prevVector))}`;
  const moving = state.flag(object, irq.at.moving) === true ? ` (moving from ${from})` : '';
  if (n(irq.at.vector) === 0) return `no vector${moving}`;
  return `cpu ${number(n(irq.at.cpu))} vector ${number(n(irq.at.vector))}${moving}`;
}

const irqView: Presentation = {
  unit: ['irq', 'irqs'],
  label: (segment) => segment,
  alone: (segment) => `irq ${segment}`,
  name: irq.at.name,
  icon: 'zap',
  signal: (state, object) => {
    if (state.num(object, irq.at.running) >= 0) return 'play';
    return state.flag(object, irq.at.masked) === true ? 'bell-slash' : 'zap';
  },
  describe: (state, object) => {
    const running = state.num(object, irq.at.running);
    const lpi = state.num(object, irq.at.lpi);
    return list(
      placeOf(state, object),
      lpi >= 0 && `LPI ${lpi}`,
      state.flag(object, irq.at.masked) === true && 'masked',
      state.flag(object, irq.at.shutdown) === true && 'shut down until one of its CPUs is online',
      running >= 0 && `running on cpu ${running}`,
      state.flag(object, irq.at.allocated) === false && 'freed',
    );
  },
  layers: [
    irqHandlers,
    strip(flagLayer({ name: 'moving', on: 'move in progress', off: 'settled', style: 'stale' }, irq.at.moving)),
  ],
};

/** Which identities of the interrupt file (IMSIC) of a hart are enabled and which pend; the empty text where none is known to be. */
function identitiesOf(state: State, object: ObjectId): string {
  const files = state.world.node(object)?.children.get('imsic')?.children.values() ?? [];
  const identities = [...files].filter((identity) => identity.object >= 0);
  const those = (cell: number): string[] =>
    identities.filter((identity) => state.flag(identity.object, cell) === true).map(({ segment }) => segment);
  const [enabled, pend] = [those(imsicId.at.enabled), those(imsicId.at.requested)];
  return list(
    enabled.length > 0 && `${enabled.length === 1 ? 'identity' : 'identities'} ${few(enabled)} enabled`,
    pend.length > 0 && `${few(pend)} pending`,
  );
}

/** Some numbers of a list, and how many more there are. */
const few = (numbers: readonly string[]): string =>
  numbers.length <= 4 ? numbers.join(' ') : `${numbers.slice(0, 3).join(' ')} +${numbers.length - 3}`;

const cpuView: Presentation = {
  unit: ['CPU', 'CPUs'],
  label: (segment) => `CPU ${segment}`,
  icon: 'chip',
  describe: (state, object) => {
    const allocated = state.num(object, cpu.at.allocated);
    const available = state.num(object, cpu.at.available);
    return list(
      state.flag(object, cpu.at.online) === false && 'offline',
      allocated >= 0 && `${many(allocated, 'vector')} allocated`,
      available >= 0 && `${available} free`,
      identitiesOf(state, object),
    );
  },
  layers: [
    {
      name: 'offline',
      on: 'offline',
      off: 'online',
      style: 'mask',
      place: 'band',
      value: (state, object) => {
        const online = state.flag(object, cpu.at.online);
        return online === undefined ? UNKNOWN_VALUE : online ? OFF : ON;
      },
      cells: [cpu.at.online],
    },
    cpuHandlers,
    cpuSystem,
  ],
};

const vectorView: Presentation = {
  unit: ['vector', 'vectors'],
  label: numbered,
  alone: (segment) => `vector ${segment}`,
  detail: (state, object) => {
    const virq = state.num(object, vector.at.irq);
    return state.text(object, vector.at.name) || (virq > 0 ? `irq ${virq}` : '');
  },
  icon: 'symbol-number',
  signal: (state, object) => (state.flag(object, vector.at.active) === true ? 'play' : 'symbol-number'),
  describe: (state, object) => {
    const unused = state.num(object, vector.at.irq) < 0 && state.flag(object, vector.at.allocated) === false;
    return list(
      irqName(state, object),
      state.text(object, vector.at.name),
      state.flag(object, vector.at.active) === true && 'running',
      unused && 'free',
    );
  },
  layers: [
    {
      name: 'entry code',
      on: 'running',
      off: 'idle',
      style: 'run',
      place: 'band',
      value: (state, object) =>
        threeValued(state.flag(object, vector.at.active) ?? state.flag(object, vector.at.inService)),
      cells: [vector.at.active, vector.at.inService],
    },
    strip(flagLayer(requested, vector.at.requested)),
  ],
};

const intidView: Presentation = {
  unit: ['LPI', 'LPIs'],
  label: (segment) => `LPI ${segment}`,
  icon: 'symbol-number',
  signal: (state, object) => {
    if (state.flag(object, intid.at.inService) === true) return 'play';
    return state.flag(object, intid.at.requested) === true ? 'bell-dot' : 'symbol-number';
  },
  describe: (state, object) =>
    list(
      state.flag(object, intid.at.requested) === true && 'pending',
      state.flag(object, intid.at.inService) === true && 'in service',
      counted(state, object, intid.at.taken, 'acknowledge'),
    ),
  layers: [flagLayer(inService, intid.at.inService), strip(flagLayer(pending, intid.at.requested))],
};

const softirqView: Presentation = {
  unit: ['softirq', 'softirqs'],
  label: (segment) => segment,
  alone: (segment) => `softirq ${segment}`,
  icon: 'symbol-event',
  signal: (state, object) => {
    if (state.flag(object, softirq.at.running) === true) return 'play';
    return state.flag(object, softirq.at.raised) === true ? 'bell-dot' : 'symbol-event';
  },
  describe: (state, object) =>
    list(
      state.flag(object, softirq.at.raised) === true && 'raised',
      state.flag(object, softirq.at.running) === true && 'running',
      counted(state, object, softirq.at.entries, 'run'),
    ),
  layers: [
    flagLayer({ name: 'handler', on: 'running', off: 'idle', style: 'run' }, softirq.at.running),
    strip(flagLayer({ name: 'raised', on: 'raised', off: 'not raised', style: 'pending' }, softirq.at.raised)),
  ],
};

const threadView: Presentation = {
  unit: ['thread', 'threads'],
  label: (segment) => `thread ${segment}`,
  name: irqThread.at.name,
  icon: 'symbol-event',
  signal: (state, object) => {
    if (state.flag(object, irqThread.at.running) === true) return 'play';
    return state.flag(object, irqThread.at.woken) === true ? 'bell-dot' : 'symbol-event';
  },
  describe: (state, object) => {
    const at = state.num(object, irqThread.at.cpu);
    const running = state.flag(object, irqThread.at.running) === true;
    return list(
      state.flag(object, irqThread.at.woken) === true && 'woken',
      running && (at < 0 ? 'running' : `running on cpu ${at}`),
      !running && state.flag(object, irqThread.at.unfinished) === true && 'not done',
      counted(state, object, irqThread.at.runs, 'run'),
    );
  },
  layers: [
    flagLayer({ name: 'handler', on: 'running', off: 'idle', style: 'run' }, irqThread.at.running),
    strip(flagLayer({ name: 'woken', on: 'woken', off: 'not woken', style: 'pending' }, irqThread.at.woken)),
  ],
};

const domainView: Presentation = {
  unit: ['domain', 'domains'],
  label: (segment) => (segment === 'VECTOR' ? 'Vector domain' : segment),
  icon: 'type-hierarchy',
  describe: (state, object) => {
    const told = (cell: number, what: string): string | false =>
      state.num(object, cell) >= 0 && `${state.num(object, cell)} ${what}`;
    const parent = state.text(object, domain.at.parent);
    const maps = state.num(object, domain.at.onlineMaps);
    const allocated = state.num(object, domain.at.allocated);
    return list(
      parent !== '' && `on ${parent}`,
      maps >= 0 && many(maps, 'CPU'),
      allocated >= 0 && `${many(allocated, 'vector')} allocated`,
      told(domain.at.reserved, 'reserved'),
      told(domain.at.available, 'free'),
    );
  },
};

const pinView: Presentation = {
  unit: ['line', 'lines'],
  label: (segment, above) => `${above === 'spi' ? 'SPI' : 'pin'} ${segment}`,
  icon: 'plug',
  describe: (state, object) => {
    const high = state.flag(object, pin.at.level);
    return list(high === undefined ? UNKNOWN : high ? 'high' : 'low', counted(state, object, pin.at.changes, 'change'));
  },
  layers: [flagLayer(level, pin.at.level)],
};

/** Interrupts, vectors, CPUs, domains and wired lines. */
export const irqPresentations: PresentationsOf<typeof things> = {
  irq: irqView,
  irqDescriptor: descriptorView,
  irqThread: threadView,
  cpu: cpuView,
  vector: vectorView,
  intid: intidView,
  softirq: softirqView,
  domain: domainView,
  pin: pinView,
};
