/**
 * Lines of `-d int` between the records: which interrupts a virtual CPU takes (target/i386/tcg, target/arm/tcg, target/riscv of
 * QEMU 0.12 to 10.2). They have no stamp, and those of x86 do not tell the CPU: it is the one that a vector was delivered to
 * and that has not taken it.
 */
import { bytesAt, bytesOf, SPACE } from '../../base/bytes.ts';
import { apicInject, vcpuTake } from '../../model/events/apic.ts';
import { vcpuVector } from '../../model/things/virt.ts';
import { vcpuVectorObject } from '../objects.ts';
import { type CaptureNames, captures, Pattern } from '../pattern.ts';
import type { Qemu } from './context.ts';

/** First vector of x86 that is no exception (SDM 3A 6.2). */
const FIRST_INTERRUPT = 0x20;

const starts = ['Servicing hardware INT=', 'Taking exception ', 'riscv_cpu_do_interrupt: '].map(bytesOf);
const serviced = new Pattern('Servicing hardware INT={vector:x}…');
const entered = new Pattern('{count:u}: v={vector:x} e={error:x} i={software:u} cpl=…');
const exceptions = [
  new Pattern('Taking exception {number:u} [{name:s}] on CPU {cpu:u}…'),
  new Pattern('Taking exception {number:u} [{name:s}]…'),
] as const;
const trap = new Pattern('riscv_cpu_do_interrupt: hart:{hart:u}, async:{async:u}, cause:{cause:x}, epc:…');

const number = <F extends string>(pattern: Pattern<F>, name: CaptureNames<F>): number =>
  captures.lo[pattern.slot[name]]!;

/** Whether bytes `start` to `end` are such a line. */
export function isInterruptLine(buf: Uint8Array, start: number, end: number): boolean {
  let from = start;
  while (from < end && buf[from] === SPACE) from++;
  const first = buf[from];
  if (first === undefined) return false;
  if (first >= 48 && first <= 57) return entered.match(buf, from, end);
  if (serviced.match(buf, from, end) || trap.match(buf, from, end)) return true;
  return exceptions.some((pattern) => pattern.match(buf, from, end));
}

/**
 * Reads such a line. Undefined: it is none. True: an interrupt was taken; false: an exception, or what a line before told.
 */
export function interruptLine(q: Qemu, start: number, end: number): boolean | undefined {
  let from = start;
  while (from < end && q.buf[from] === SPACE) from++;
  if (!starts.some((s) => bytesAt(q.buf, from, end, s))) return enteredLine(q, from, end);
  if (serviced.match(q.buf, from, end)) {
    const vector = number(serviced, 'vector');
    q.serviced = vector;
    return vector < 256 ? takeVector(q, vector) : false;
  }
  if (trap.match(q.buf, from, end)) {
    const [hart, cause] = [number(trap, 'hart'), number(trap, 'cause')];
    return number(trap, 'async') !== 0 && take(q, hart, cause);
  }
  const [withCpu, without] = exceptions;
  if (withCpu.match(q.buf, from, end)) {
    const text = q.text(withCpu.slot.name);
    const [cpu, n] = [number(withCpu, 'cpu'), number(withCpu, 'number')];
    return isInterrupt(text) && take(q, cpu, n, text);
  }
  if (!without.match(q.buf, from, end)) return undefined;
  const text = q.text(without.slot.name);
  return isInterrupt(text) && take(q, onlyCpu(q), number(without, 'number'), text);
}

/** x86 entering a handler. Newer logs say before that line that it is for an interrupt, and of which. */
function enteredLine(q: Qemu, from: number, end: number): boolean | undefined {
  const first = q.buf[from];
  if (first === undefined || first < 48 || first > 57 || !entered.match(q.buf, from, end)) return undefined;
  const vector = number(entered, 'vector');
  const told = q.serviced === vector;
  q.serviced = -1;
  if (told || number(entered, 'software') !== 0 || vector < FIRST_INTERRUPT || vector > 255) return false;
  return takeVector(q, vector);
}

/** Whether an exception of Arm is an interrupt, by its name in the log. */
const isInterrupt = (name: string): boolean => /\b(IRQ|FIQ|NMI)\b/.test(name);

/** The only virtual CPU that the log has named, or -1. */
function onlyCpu(q: Qemu): number {
  const cpus = [...(q.out.world.find('vcpu')?.children.keys() ?? [])];
  return cpus.length === 1 ? Number(cpus[0]) : -1;
}

function take(q: Qemu, cpu: number, vector: number, name = ''): true {
  const { world } = q.out;
  const known = cpu >= 0 && cpu < 0x8000 && vector < 0x10000;
  q.out.cpu = known ? cpu : -1;
  const event = vcpuTake.put();
  if (name !== '') event.name(q.intern(name));
  q.emit(event, known ? vcpuVectorObject(world, cpu, vector) : q.object(`apic/vector/${vector}`));
  return true;
}

/** A vector that a virtual CPU of x86 takes. */
function takeVector(q: Qemu, vector: number): true {
  const { world, state } = q.out;
  const at = vcpuVector.at;
  const waiting: number[] = [];
  for (const node of world.find('vcpu')?.children.values() ?? []) {
    const object = node.children.get('vector')?.children.get(String(vector))?.object ?? -1;
    if (object >= 0 && state.get(object, at.accepts) > state.get(object, at.taken)) waiting.push(object);
  }
  if (waiting.length !== 1) return take(q, waiting.length === 0 ? onlyCpu(q) : -1, vector);
  const [object] = waiting;
  q.out.cpu = Number(world.path(object!).split('/')[1]);
  q.emit(apicInject.put().reinjected(false), object!);
  return true;
}
