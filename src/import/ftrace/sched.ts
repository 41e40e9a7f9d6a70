/**
 * What the scheduler of the host does with the threads of virtual CPUs (include/trace/events/sched.h), in the words of the kernel and in
 * those of the plugin of trace-cmd (plugin_sched_switch.c). Of other threads nothing is taken over.
 */
import { vcpuSched } from '../../model/events/virt.ts';
import { type Ftrace, type FtraceRule, rule } from './context.ts';

/** TASK_INTERRUPTIBLE and TASK_UNINTERRUPTIBLE, and what stands for a task that was preempted (TASK_REPORT_MAX, 0x100). */
const SLEEPS = 0x3;
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

function tell(f: Ftrace, vcpu: number, on: boolean, asleep: boolean | undefined): void {
  const event = vcpuSched.put().on(on);
  if (asleep !== undefined) event.sleeps(asleep);
  f.emit(event, vcpu);
}

export const schedRules: readonly FtraceRule[] = [
  rule(
    'sched_switch',
    [
      'prev_comm={was:s} prev_pid={from:u} prev_prio={prio:d} prev_state={state:w} ==> next_comm={comm:s} next_pid={to:u} next_prio={nextprio:d}',
      '{was:s}:{from:u} [{prio:d}] {state:w} ==> {comm:s}:{to:u} [{nextprio:d}]',
    ] as const,
    (f, c, s) => {
      const from = f.vcpus.of(c.lo[s.from]!);
      const to = f.vcpus.of(c.lo[s.to]!);
      if (from < 0 && to < 0) return false;
      if (from >= 0) tell(f, from, false, sleeps(f.text(s.state)));
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
      const vcpu = f.vcpus.of(c.lo[s.pid]!);
      if (vcpu < 0) return false;
      tell(f, vcpu, false, false);
      return undefined;
    },
    {},
    (c, s) => c.got[s.pid] === 1,
  ),
];
