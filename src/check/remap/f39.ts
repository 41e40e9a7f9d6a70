import type { ObjectId } from '../../base/ids.ts';
import { requesterIn } from '../../model/bdf.ts';
import { cpuAccept, cpuSignal, lineSet } from '../../model/events/cpu.ts';
import { msgSend } from '../../model/events/msix.ts';
import { kvmMsi } from '../../model/events/virt.ts';
import { gicv2mSetSpi } from '../../model/registers/its.ts';
import type { State } from '../../model/state.ts';
import { irq as irqType, vector as vectorType } from '../../model/things/irq.ts';
import { messageKind } from '../../model/translate.ts';
import type { World } from '../../model/world.ts';
import { each } from '../history.ts';
import { functionName, irqName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Functions by requester ID, found once: messages come by the million. */
const found = new WeakMap<World, Map<number, ObjectId>>();

/** The function with a requester ID; -1: the trace shows none, as for the I/O APIC. */
function functionOf(world: World, requester: number): ObjectId {
  let known = found.get(world);
  if (known === undefined) found.set(world, (known = new Map()));
  let object = known.get(requester);
  if (object === undefined && (object = lookedUp(world, requester)) >= 0) known.set(requester, object);
  return object;
}

function lookedUp(world: World, requester: number): ObjectId {
  for (const { object, segment } of world.find('device')?.children.values() ?? [])
    if (object >= 0 && requesterIn(segment) === requester) return object;
  return -1;
}

/** The irq at whose vector a CPU was raised, when it is of a function that the trace tells; -1 otherwise. */
function irqAt(state: State, vector: ObjectId): ObjectId {
  const virq = state.num(vector, vectorType.at.irq);
  const object = virq < 0 ? -1 : state.world.objectAt(`irq/${virq}`);
  return state.text(object, irqType.at.device) === '' ? -1 : object;
}

/** The irq whose message names an SPI of a GICv2m frame; -1: none. */
function irqOfSpi(state: State, spi: number): ObjectId {
  for (const { object } of state.world.find('irq')?.children.values() ?? [])
    if (object >= 0 && state.num(object, irqType.at.data) === spi && state.text(object, irqType.at.device) !== '')
      return object;
  return -1;
}

/** Modes that KVM prints and that nobody means for an interrupt of a device. */
const SPECIAL = /^(NMI|INIT|SMI|SIPI)\b/;

/** F39. What a device is able to inject is told once for each thing that it did inject. */
export const injectsOwnInterrupts: Rule<'F39'> = {
  id: 'F39',
  names: ['INV-INJECT'],
  title: 'Device can inject interrupts that are not its own',
  meaning:
    'A message of a device raises a vector of its own irqs: no NMI, INIT or SMI, and no irq of another device; on Arm an SPI of its own irqs.',
  severity: 'security',
  reference:
    'SDM vol. 3 "Message Data Register Format": the writer of a message chooses mode, vector and CPU; VT-d 5.1.4 and 9.10: with remapping the table entry does, and a posted entry has no mode; SBSA "GICv2m MSI support": a frame sees only the INTID',
  kinds: [cpuSignal, cpuAccept, kvmMsi, msgSend, lineSet],
  needs: [[cpuSignal, cpuAccept, lineSet]],
  alone: [kvmMsi],
  needsAll: true,
  confirm:
    'the message that the device holds (lspci -vvv, kprobe on __pci_write_msi_msg), its table entry in ir_translation_struct, NMI and the vector in /proc/interrupts',
  watch(report) {
    /** What was told, as objects and mode. */
    const told = new Set<string>();
    /** The requester ID that wrote the last message, -1 none, and what it wrote: the frame of a GICv2m raises the SPI of that. */
    let writer = -1;
    let written = 0;
    return each((step, { kind, object, words, at }, state) => {
      const { world } = state;
      const once = (key: string): boolean => !told.has(key) && told.add(key) !== undefined;
      if (kind === kvmMsi) {
        const mode = SPECIAL.exec(world.strings.text(kvmMsi.read(words, at).mode))?.[1];
        if (mode === undefined || !once(`${object} ${mode}`)) return mode !== undefined;
        report({
          step,
          object,
          severity: 'info',
          title: `A message of ${world.path(object)} has the delivery mode ${mode}`,
          text: `A device or a route of ${world.path(object)} holds a message of mode ${mode}. KVM delivers messages to virtual CPUs of the same machine alone, so that the guest reaches itself and nobody else; a posted entry could not carry it.`,
          evidence: [],
        });
        return true;
      }
      if (kind === msgSend) {
        const { requester, data } = msgSend.read(words, at);
        writer = requester ?? -1;
        written = data;
        return false;
      }
      if (kind === lineSet) {
        const [requester, spi] = [writer, gicv2mSetSpi.f.intid.of(written)];
        writer = -1;
        if (requester < 0 || !lineSet.read(words, at).level || messageKind(state, object) !== 'gicv2m') return false;
        if (Number(world.node(object)?.segment) !== spi) return false;
        const from = functionOf(world, requester);
        if (from < 0) return false;
        const hit = irqOfSpi(state, spi);
        if (hit < 0) return false;
        const owner = state.text(hit, irqType.at.device);
        if (functionOf(world, requesterIn(owner)) === from || !once(`${from} ${hit}`)) return true;
        const [name, victim] = [functionName(world, from), irqName(world, hit, state.text(hit, irqType.at.name))];
        report({
          step,
          object: from,
          title: `${name} can raise an SPI of ${owner}: it raised ${victim}`,
          text: `${name} wrote INTID ${spi} to the GICv2m frame, which is ${victim} of ${owner}. The frame does not see who writes: each device that reaches it raises any SPI of it. An ITS takes the DeviceID beside the EventID, and raises interrupts of that device alone.`,
          evidence: [],
        });
        return true;
      }
      const signal = kind === cpuSignal;
      const { requester } = signal ? cpuSignal.read(words, at) : cpuAccept.read(words, at);
      const from = requester === undefined ? -1 : functionOf(world, requester);
      if (from < 0) return false;
      const name = functionName(world, from);
      if (signal) {
        const mode = world.strings.text(cpuSignal.read(words, at).mode);
        if (!once(`${from} ${mode}`)) return true;
        report({
          step,
          object: from,
          title: `${name} can inject ${mode}: ${world.path(object)} got one`,
          text: `A message of ${name} reached ${world.path(object)} with the delivery mode ${mode}, which goes to the core and not to a handler of the device. ${STOPS}`,
          evidence: [],
        });
        return true;
      }
      const hit = irqAt(state, object);
      if (hit < 0) return false;
      const owner = state.text(hit, irqType.at.device);
      if (requesterIn(owner) === requester || !once(`${from} ${hit}`)) return true;
      const victim = irqName(world, hit, state.text(hit, irqType.at.name));
      report({
        step,
        object: from,
        title: `${name} can inject a vector of ${owner}: it raised ${victim}`,
        text: `A message of ${name} raised ${world.path(object)}, which is ${victim} of ${owner}. ${STOPS}`,
        evidence: [],
      });
      return true;
    });
  },
};

const STOPS =
  'Without remapping the driver that makes the device write chooses mode, vector and CPU. With remapping the table entry does, compatibility format is blocked, and the entry takes messages of its own requester alone.';
