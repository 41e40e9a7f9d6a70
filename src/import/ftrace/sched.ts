/**
 * What the scheduler does with the threads of virtual CPUs and with those that handle irqs (include/trace/events/sched.h), in the words of the
 * kernel and in those of the plugin of trace-cmd (plugin_sched_switch.c). Of other threads nothing is taken over: their records are by far the
 * most, so that a name is looked at by its first bytes, where it lies. What a record cannot tell: why a thread sleeps. One that handles an
 * irq is taken to be done in state S, in which it waits for its next interrupt (irq_wait_for_interrupt of kernel/irq/manage.c).
 */
import { bytesOf, isDigit, MINUS, ZERO } from '../../base/bytes.ts';
import { threadEntry, threadExit, threadWake } from '../../model/events/cpu.ts';
import { vcpuSched } from '../../model/events/virt.ts';
import { irqThread } from '../../model/things/irq.ts';
import type { Captures } from '../pattern.ts';
import { type Ftrace, type FtraceRule, rule } from './context.ts';

/** TASK_INTERRUPTIBLE and TASK_UNINTERRUPTIBLE, and what stands for a task that was preempted (TASK_REPORT_MAX, 0x100). */
const SLEEPS = 0x3;
const INTERRUPTIBLE = 0x1;
const PREEMPTED = 0x100;

/**
 * Whether a thread that leaves its processor in a state waits to be woken: `S`, `D` and `I` do, `R` and everything with a `+` (preempted)
 * does not. Undefined for others: it is stopped, or ends. The fields option prints the number.
 */
function sleeps(state: string): boolean | undefined {
  const number = /^(?:0x[\da-f]+|\d+)$/i.test(state) ? Number(state) : -1;
  if (number >= 0)
    return number === 0 || (number & PREEMPTED) !== 0 ? false : (number & SLEEPS) !== 0 ? true : undefined;
  if (state.endsWith('+') || state === 'R') return false;
  return /^[SDI]/.test(state) ? true : undefined;
}

/** Whether a thread that handles an irq is done when it leaves its processor: undefined for a state that tells neither. */
function isDone(state: string): boolean | undefined {
  const asleep = sleeps(state);
  if (asleep !== true) return asleep;
  return state.startsWith('S') || (/^\d|^0x/.test(state) && (Number(state) & INTERRUPTIBLE) !== 0);
}

function tell(f: Ftrace, vcpu: number, on: boolean, asleep: boolean | undefined): void {
  const event = vcpuSched.put().on(on);
  if (asleep !== undefined) event.sleeps(asleep);
  f.emit(event, vcpu);
}

/** The kernel names a thread of an irq `irq/<virq>-<action>` (setup_irq_thread). */
const PREFIX = bytesOf('irq/');
/** Digits of an irq number, at most. */
const MOST_DIGITS = 7;

/** The irq of the thread whose name and number were captured; -1 for any other thread. */
function irqOfThread({ buf }: Ftrace, c: Captures, name: number): number {
  if (c.got[name] !== 1) return -1;
  let at = c.start[name]!;
  const end = c.end[name]!;
  for (let i = 0; i < PREFIX.length; i++) if (buf[at + i] !== PREFIX[i]) return -1;
  at += PREFIX.length;
  const first = at;
  let irq = 0;
  while (at < end && at - first < MOST_DIGITS && isDigit(buf[at])) irq = irq * 10 + buf[at++]! - ZERO;
  return at > first && at < end && buf[at] === MINUS ? irq : -1;
}

const threadObject = (f: Ftrace, irq: number, pid: number): number =>
  f.out.world.byNumbers(irqThread, irq, pid & 0x3ffffff, (a, b) => `irq/${a}/thread/${b}`);

/** A thread that handles an irq was woken. What is woken already is so once: the end of the wake-up is another record of it. */
function woken(f: Ftrace, c: Captures, name: number, pid: number, late: boolean): boolean {
  const irq = irqOfThread(f, c, name);
  if (irq < 0) return false;
  const object = threadObject(f, irq, c.lo[pid]!);
  if (late && f.out.state.flag(object, irqThread.at.woken) === true) return false;
  const event = threadWake.put().name(f.str(name));
  if (late) event.late(true);
  f.emit(event, object);
  return true;
}

export const schedRules: readonly FtraceRule[] = [
  rule(
    'sched_switch',
    [
      'prev_comm={was:s} prev_pid={from:u} prev_prio={prio:d} prev_state={state:w} ==> next_comm={comm:s} next_pid={to:u} next_prio={nextprio:d}',
      '{was:s}:{from:u} [{prio:d}] {state:w} ==> {comm:s}:{to:u} [{nextprio:d}]',
    ] as const,
    (f, c, s) => {
      const left = irqOfThread(f, c, s.was);
      const next = irqOfThread(f, c, s.comm);
      const from = f.vcpus.of(c.lo[s.from]!);
      const to = f.vcpus.of(c.lo[s.to]!);
      if (from < 0 && to < 0 && left < 0 && next < 0) return false;
      if (from >= 0) tell(f, from, false, sleeps(f.text(s.state)));
      if (left >= 0) {
        const done = isDone(f.text(s.state));
        const event = threadExit.put().name(f.str(s.was));
        if (done !== undefined) event.done(done);
        f.emit(event, threadObject(f, left, c.lo[s.from]!));
      }
      if (next >= 0) f.emit(threadEntry.put().name(f.str(s.comm)), threadObject(f, next, c.lo[s.to]!));
      if (to >= 0) tell(f, to, true, undefined);
      return undefined;
    },
    { prev_comm: 'was', prev_pid: 'from', prev_state: 'state', next_comm: 'comm', next_pid: 'to' },
    (c, s) => c.got[s.from] === 1 && c.got[s.to] === 1 && c.got[s.state] === 1,
  ),
  rule(
    'sched_wakeup',
    ['comm={comm:s} pid={pid:u} prio={prio:d}…', '{comm:s}:{pid:u} [{prio:d}]…'] as const,
    (f, c, s) => {
      if (woken(f, c, s.comm, s.pid, true)) return undefined;
      const vcpu = f.vcpus.of(c.lo[s.pid]!);
      if (vcpu < 0) return false;
      tell(f, vcpu, false, false);
      return undefined;
    },
    {},
    (c, s) => c.got[s.pid] === 1,
  ),
  rule(
    'sched_waking',
    ['comm={comm:s} pid={pid:u} prio={prio:d}…', '{comm:s}:{pid:u} [{prio:d}]…'] as const,
    (f, c, s) => (woken(f, c, s.comm, s.pid, false) ? undefined : false),
    {},
    (c, s) => c.got[s.pid] === 1,
  ),
];
