import { bytesOf } from '../../base/bytes.ts';
import type { EventKind } from '../../model/event.ts';
import * as cpuEv from '../../model/events/cpu.ts';
import * as ev from '../../model/events/irq.ts';
import * as mtx from '../../model/events/matrix.ts';
import { mark } from '../../model/events/notes.ts';
import * as vecs from '../../model/events/vector.ts';
import { cpu, irq, vector } from '../../model/things/irq.ts';
import { MOST_CPU } from '../../trace/row.ts';
import type { Captures } from '../pattern.ts';
import { Pattern } from '../pattern.ts';
import { either, rule as makeRule } from '../rules.ts';
import { type Ftrace, type FtraceRule, rule } from './context.ts';
import { takeMark } from './printk.ts';
import { handled, noteCall } from './vfio.ts';

const irqObject = (f: Ftrace, n: number): number => f.out.world.byNumbers(irq, n & 0x3ffffff, 0, (a) => `irq/${a}`);
const cpuObject = (f: Ftrace, n: number): number => f.out.world.byNumbers(cpu, n & 0x3ffffff, 0, (a) => `cpu/${a}`);
const vectorObject = (f: Ftrace, n: number, v: number): number =>
  f.out.world.byNumbers(vector, n & 0x3ffffff, v & 0x3ffffff, (a, b) => `cpu/${a}/vector/${b}`);
/** What stands for the CPU that recorded an event where the text does not tell it. */
const NOWHERE = 'buffer/unknown';
const recorder = (f: Ftrace): number => (f.out.cpu < 0 ? f.object(NOWHERE) : cpuObject(f, f.out.cpu));
const vectorDomain = (f: Ftrace): number => f.object('domain/VECTOR');

export { irqObject };

/**
 * Kernels before 4.16 swapped `reserved` and `ret` and printed a negative errno as a vector: -4095 (MAX_ERRNO of
 * include/linux/err.h) or more, as an unsigned number.
 */
const FIRST_ERRNO = 0xfffff001;

/** All arguments are numbers or flags and always there. Captures are numbered in order: the irq, then the arguments of the kind. */
function vec<const F extends string>(
  name: string,
  kind: EventKind,
  formats: F | readonly F[],
  fields?: Readonly<Record<string, string>>,
): FtraceRule {
  return rule(
    name,
    formats,
    (f, c) => {
      const { args, words } = kind;
      for (let i = 0; i < args.length; i++) words[args[i]!.at] = c.lo[i + 1]!;
      f.emit(kind.written, irqObject(f, c.lo[0]!));
    },
    fields,
  );
}

const GLOBALS = 'online_maps={maps:d} global_avl={avl:u}, global_rsvd={rsvd:u}, total_alloc={total:u}';
const GLOBAL_FIELDS = {
  online_maps: 'maps',
  global_available: 'avl',
  global_reserved: 'rsvd',
  total_allocated: 'total',
};

/** `online`: whether the record says that the map of the recording CPU went online, or offline. */
function matrixGlobal(name: string, kind: typeof mtx.mtxOnline, online?: boolean): FtraceRule {
  return rule(
    name,
    GLOBALS,
    (f, c, s) => {
      const { cpu: n } = f.out;
      if (online === true && f.maps.has(n)) f.emit(mtx.mtxUnsure.put(), cpuObject(f, n));
      if (online === true && n >= 0) f.maps.add(n);
      const event = kind.put().onlineMaps(c.lo[s.maps]!).available(c.lo[s.avl]!);
      f.emit(event.reserved(c.lo[s.rsvd]!).total(c.lo[s.total]!), vectorDomain(f));
      if (online === false && n >= 0) f.emit(mtx.mtxUnsure.put(), cpuObject(f, n));
      if (online === false) f.maps.delete(n);
    },
    GLOBAL_FIELDS,
  );
}

function matrixCpu(name: string, kind: typeof mtx.mtxAlloc): FtraceRule {
  return rule(
    name,
    `bit={bit:d} cpu={cpu:u} online={online:d} avl={free:u} alloc={alloc:u} managed={managed:u} ${GLOBALS}`,
    (f, c, s) => {
      const n = c.lo[s.cpu]!;
      const online = c.lo[s.online] !== 0;
      if (online && n <= MOST_CPU) f.maps.add(n);
      else if (f.maps.delete(n)) f.emit(mtx.mtxUnsure.put(), cpuObject(f, n));
      f.emit(
        kind
          .put()
          .vector(c.lo[s.bit]!)
          .cpu(n)
          .online(online)
          .available(c.lo[s.free]!)
          .allocated(c.lo[s.alloc]!)
          .managed(c.lo[s.managed]!)
          .onlineMaps(c.lo[s.maps]!)
          .globalAvailable(c.lo[s.avl]!)
          .reserved(c.lo[s.rsvd]!)
          .total(c.lo[s.total]!),
        vectorDomain(f),
      );
    },
    { ...GLOBAL_FIELDS, available: 'free', allocated: 'alloc' },
  );
}

/** `handled` or `unhandled`, or with the fields option the irqreturn_t: bit 0 handled, bit 1 the thread was woken. Other words are none of them. */
function irqExit(): FtraceRule {
  const name = 'irq_handler_exit';
  const exit = (f: Ftrace, c: Captures, handled: boolean): void =>
    f.emit(ev.irqExit.put().handled(handled), irqObject(f, c.lo[0]!));
  const word = (text: string, handled: boolean): FtraceRule =>
    makeRule(name, [`irq={irq:d} ret=${text}`, `irq={irq:d} return=${text}`], (f, c) => exit(f, c, handled));
  const number = rule(name, ['irq={irq:d} ret={ret:n}', 'irq={irq:d} return={ret:n}'] as const, (f, c, s) =>
    exit(f, c, c.lo[s.ret] !== 0),
  );
  return either(word('handled', true), either(word('unhandled', false), number));
}

/** System vectors with entry and exit events of their own (arch/x86/include/asm/trace/irq_vectors.h). */
const SYSTEM = [
  'local_timer',
  'spurious_apic',
  'error_apic',
  'x86_platform_ipi',
  'irq_work',
  'reschedule',
  'call_function',
  'call_function_single',
  'threshold_apic',
  'deferred_error_apic',
  'thermal_apic',
];

function system(name: string, suffix: string, kind: typeof cpuEv.sysEntry): FtraceRule {
  return rule(`${name}_${suffix}`, 'vector={vector:d}', (f, c, s) => {
    const { cpu: n } = f.out;
    const v = c.lo[s.vector]!;
    f.emit(kind.put().name(f.intern(name)), n < 0 ? f.object(`${NOWHERE}/vector/${v}`) : vectorObject(f, n, v));
  });
}

/** Names that VFIO gives to its irqs: which function, and which vector of it. */
const vfioName = [new Pattern('vfio-msix[{vector:u}]({bdf:s})'), new Pattern('vfio-msi[{vector:u}]({bdf:s})')] as const;
const vfioIntx = new Pattern('vfio-intx({bdf:s})');
const VFIO = bytesOf('vfio-');

/** Emits the function and vector of an irq, where its name tells them and the state does not know them (any more). */
function identify(f: Ftrace, c: Captures, slot: number, object: number): void {
  const { buf } = f;
  const start = c.start[slot]!;
  const end = c.end[slot]!;
  for (let i = 0; i < VFIO.length; i++) if (buf[start + i] !== VFIO[i]) return;
  const index = vfioName[0].match(buf, start, end)
    ? 2
    : vfioName[1].match(buf, start, end)
      ? 1
      : vfioIntx.match(buf, start, end)
        ? 0
        : -1;
  if (index < 0) return;
  const bdf = f.text(index === 0 ? vfioIntx.slot.bdf : vfioName[0].slot.bdf);
  const vectorNumber = index === 0 ? 0 : c.lo[vfioName[0].slot.vector]!;
  const { state, world } = f.out;
  const device = world.strings.intern(bdf);
  const told = state.num(object, irq.at.device) === device;
  if (!told || (index !== 0 && state.num(object, irq.at.hwirq) !== vectorNumber)) {
    const event = ev.irqIdentify.put().device(device);
    if (index !== 0) event.hwirq(vectorNumber);
    f.emit(event, object);
  }
  handled(f, f.object(`vfio/${bdf}/${index}/${vectorNumber}`), Number(world.node(object)!.segment));
}

const ANY_TEXT = '{text:a}';

/** A program wrote a text into the trace. */
function written(f: Ftrace, slot: number): void {
  const text = f.str(slot);
  f.emit(mark.put().text(text), f.object('marker'));
  noteCall(f, f.out.world.strings.text(text));
}

export const irqRules: readonly FtraceRule[] = [
  vec('vector_config', vecs.vecConfig, 'irq={irq:u} vector={vector:u} cpu={cpu:u} apicdest={apicdest:x}'),
  rule(
    'vector_update',
    'irq={irq:u} vector={vector:u} cpu={cpu:u} prev_vector={prev_vector:u} prev_cpu={prev_cpu:u}',
    (f, c, s) => {
      const event = vecs.vecUpdate
        .put()
        .vector(c.lo[s.vector]!)
        .cpu(c.lo[s.cpu]!)
        .prevVector(c.lo[s.prev_vector]!)
        .prevCpu(c.lo[s.prev_cpu]!);
      const { inInterrupt } = f;
      if (inInterrupt !== undefined) event.interrupt(inInterrupt);
      f.emit(event, irqObject(f, c.lo[s.irq]!));
    },
  ),
  vec(
    'vector_clear',
    vecs.vecClear,
    'irq={irq:u} vector={vector:u} cpu={cpu:u} prev_vector={prev_vector:u} prev_cpu={prev_cpu:u}',
  ),
  vec('vector_reserve', vecs.vecReserve, 'irq={irq:u} ret={ret:d}'),
  vec('vector_reserve_managed', vecs.vecReserveManaged, 'irq={irq:u} ret={ret:d}'),
  rule('vector_alloc', 'irq={irq:u} vector={vector:u} reserved={reserved:d} ret={ret:d}', (f, c, s) => {
    const v = c.lo[s.vector]!;
    const errno = v >= FIRST_ERRNO;
    // The kernel prints a positive `ret` only where the two are swapped.
    const swapped = errno || c.lo[s.ret] === 1;
    f.emit(
      vecs.vecAlloc
        .put()
        .vector(errno ? 0 : v)
        .reserved(c.lo[swapped ? s.ret : s.reserved]! !== 0)
        .ret(errno ? v : c.lo[swapped ? s.reserved : s.ret]!),
      irqObject(f, c.lo[s.irq]!),
    );
  }),
  vec('vector_alloc_managed', vecs.vecAllocManaged, 'irq={irq:u} vector={vector:u} ret={ret:d}'),
  vec(
    'vector_activate',
    vecs.vecActivate,
    [
      'irq={irq:u} is_managed={managed:d} can_reserve={can:d} reserve={reserve:d}',
      'irq={irq:u} is_managed={managed:d} can_reserve={can:d} early={reserve:d}',
    ] as const,
    { is_managed: 'managed', can_reserve: 'can', early: 'reserve' },
  ),
  vec(
    'vector_deactivate',
    vecs.vecDeactivate,
    [
      'irq={irq:u} is_managed={managed:d} can_reserve={can:d} reserve={reserve:d}',
      'irq={irq:u} is_managed={managed:d} can_reserve={can:d} early={reserve:d}',
    ] as const,
    { is_managed: 'managed', can_reserve: 'can', early: 'reserve' },
  ),
  vec('vector_teardown', vecs.vecTeardown, 'irq={irq:u} is_managed={managed:d} has_reserved={reserved:d}', {
    is_managed: 'managed',
    has_reserved: 'reserved',
  }),
  vec('vector_setup', vecs.vecSetup, 'irq={irq:u} is_legacy={legacy:d} ret={ret:d}', { is_legacy: 'legacy' }),
  vec('vector_free_moved', vecs.vecFreeMoved, 'irq={irq:u} cpu={cpu:u} vector={vector:u} is_managed={managed:d}', {
    is_managed: 'managed',
  }),
  matrixGlobal('irq_matrix_online', mtx.mtxOnline, true),
  matrixGlobal('irq_matrix_offline', mtx.mtxOffline, false),
  matrixGlobal('irq_matrix_reserve', mtx.mtxReserve),
  matrixGlobal('irq_matrix_remove_reserved', mtx.mtxRemoveReserved),
  rule(
    'irq_matrix_assign_system',
    `bit={bit:d} ${GLOBALS}`,
    (f, c, s) => {
      f.emit(
        mtx.mtxAssignSystem
          .put()
          .vector(c.lo[s.bit]!)
          .onlineMaps(c.lo[s.maps]!)
          .available(c.lo[s.avl]!)
          .reserved(c.lo[s.rsvd]!)
          .total(c.lo[s.total]!),
        vectorDomain(f),
      );
    },
    GLOBAL_FIELDS,
  ),
  matrixCpu('irq_matrix_reserve_managed', mtx.mtxReserveManaged),
  matrixCpu('irq_matrix_remove_managed', mtx.mtxRemoveManaged),
  matrixCpu('irq_matrix_alloc_managed', mtx.mtxAllocManaged),
  matrixCpu('irq_matrix_alloc_reserved', mtx.mtxAllocReserved),
  matrixCpu('irq_matrix_assign', mtx.mtxAssign),
  matrixCpu('irq_matrix_alloc', mtx.mtxAlloc),
  matrixCpu('irq_matrix_free', mtx.mtxFree),
  rule('irq_handler_entry', ['irq={irq:d} name={name:r}', 'irq={irq:d} handler={name:r}'] as const, (f, c, s) => {
    const object = irqObject(f, c.lo[s.irq]!);
    const name = f.str(s.name);
    const lpi = f.handed.get(f.out.cpu);
    if (lpi !== undefined) {
      f.handed.delete(f.out.cpu);
      if (f.out.state.num(object, irq.at.lpi) !== lpi) f.emit(ev.irqIdentify.put().lpi(lpi), object);
    }
    f.emit(ev.irqEntry.put().name(name), object);
    identify(f, c, s.name, object);
  }),
  irqExit(),
  ...SYSTEM.flatMap((name) => [system(name, 'entry', cpuEv.sysEntry), system(name, 'exit', cpuEv.sysExit)]),
  rule('ipi_send_cpu', 'cpu={cpu:u} callsite={callsite:s} callback={callback:r}', (f, c, s) => {
    f.emit(cpuEv.ipiSend.put().reason(f.str(s.callsite)), cpuObject(f, c.lo[s.cpu]!));
  }),
  rule(
    'ipi_send_cpumask',
    'cpumask={mask:w} callsite={callsite:s} callback={callback:r}',
    (f, _c, s) => {
      f.emit(cpuEv.ipiSend.put().targets(f.str(s.mask)).reason(f.str(s.callsite)), recorder(f));
    },
    { cpumask: 'mask' },
  ),
  rule(
    'ipi_raise',
    'target_mask={mask:w} ({reason:s})',
    (f, _c, s) => {
      f.emit(cpuEv.ipiSend.put().targets(f.str(s.mask)).reason(f.str(s.reason)), recorder(f));
    },
    { target_cpus: 'mask' },
  ),
  rule('ipi_entry', '({reason:s})', (f, _c, s) => {
    f.emit(cpuEv.ipiEntry.put().reason(f.str(s.reason)), recorder(f));
  }),
  rule('ipi_exit', '({reason:s})', (f, _c, s) => {
    f.emit(cpuEv.ipiExit.put().reason(f.str(s.reason)), recorder(f));
  }),
  // trace_printk() and marks as trace-cmd prints them: the function that called, and the text.
  ...['bprint', 'bputs', 'print'].map((name) =>
    either(
      rule(name, 'tracing_mark_write: {text:a}', (f, _c, s) => written(f, s.text)),
      rule(name, ANY_TEXT, (f, c, s) => takeMark(f, c.start[s.text]!, c.end[s.text]!)),
    ),
  ),
  rule('tracing_mark_write', ANY_TEXT, (f, _c, s) => written(f, s.text), { buf: 'text' }),
];
