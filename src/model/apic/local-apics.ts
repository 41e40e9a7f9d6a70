// Which local APICs a message reaches: SDM vol. 3 "Determining IPI Destination", "Message Address Register Format".
import { logicalOf } from '../apic-ids.ts';
import {
  DELIVERY,
  x2apicLogicalId,
  x86Address,
  x86Data,
  x86Destination,
  x86ExtendedDestination,
  xapicClusterId,
} from '../registers/x86.ts';

/** How local APICs are set up: xAPIC with logical ids of the flat or of the cluster model, or x2APIC. */
export const apicModels = ['flat', 'cluster', 'x2apic'] as const;
export type ApicModel = (typeof apicModels)[number];

/** What a message in compatibility format asks of local APICs. */
export interface Delivery {
  readonly destination: number;
  readonly logical: boolean;
  /** Delivery mode, as in `DELIVERY`. */
  readonly mode: number;
  readonly vector: number;
  readonly level: boolean;
  /** Redirection hint. */
  readonly hint: boolean;
}

const HIGH = 0x100000000;
/** Logical ids of the flat model have 8 bits, those of the cluster model 4 bits in 15 clusters. */
const FLAT = 8;
const MEMBERS = 4;
const CLUSTERS = 15;
const XAPIC_ALL = 0xff;
const X2APIC_ALL = 0xffffffff;

/** Reads a message (address below 2^53); `extended`: its address holds an extended destination id. */
export function deliveryOf(address: number, data: number, extended = false): Delivery {
  const [low, high] = [address % HIGH, Math.floor(address / HIGH)];
  const { vector, deliveryMode, trigger } = x86Data.f;
  const { destMode, redirectionHint } = x86Address.f;
  return {
    destination: x86Destination(low, high) + (extended ? x86ExtendedDestination(low) : 0),
    logical: destMode.in(low),
    mode: deliveryMode.of(data),
    vector: vector.of(data),
    level: trigger.in(data),
    hint: redirectionHint.in(low),
  };
}

/** The logical id of the local APIC with an APIC id, as kernels write it (in x2APIC mode it follows from the APIC id); 0: none. */
export function logicalIdOf(model: ApicModel, apicId: number): number {
  if (model === 'x2apic') return logicalOf(apicId);
  // Linux leaves flat mode for physical destinations where there are more CPUs than bits (arch/x86/kernel/apic/probe_64.c).
  if (model === 'flat') return apicId < FLAT ? 2 ** apicId : 0;
  const { cluster, members } = xapicClusterId.f;
  const own = Math.floor(apicId / MEMBERS);
  return own < CLUSTERS ? cluster.put(own) + members.put(2 ** (apicId % MEMBERS)) : 0;
}

/** Whether a destination is that of all local APICs. `kvm`: KVM reads 0xff so in x2APIC mode as well (its broadcast quirk). */
export const isBroadcast = (model: ApicModel, destination: number, kvm = false): boolean =>
  destination === X2APIC_ALL || (destination === XAPIC_ALL && (kvm || model !== 'x2apic'));

/** Whether the local APIC with an APIC id is meant by a logical destination that is not that of all. */
function meant(model: ApicModel, destination: number, apicId: number): boolean {
  const own = logicalIdOf(model, apicId);
  if (model === 'flat') return (own & destination) !== 0;
  const { cluster, members } = (model === 'x2apic' ? x2apicLogicalId : xapicClusterId).f;
  return cluster.of(own) === cluster.of(destination) && (members.of(own) & members.of(destination)) !== 0;
}

/** The APIC ids below `count` that a destination means, in order. */
export function addressedBy(
  model: ApicModel,
  count: number,
  { destination, logical }: Pick<Delivery, 'destination' | 'logical'>,
  kvm = false,
): number[] {
  const all = isBroadcast(model, destination, kvm);
  if (!all && !logical) return destination < count ? [destination] : [];
  const ids: number[] = [];
  for (let id = 0; id < count; id++) if (all || meant(model, destination, id)) ids.push(id);
  return ids;
}

/** Vectors below are illegal in messages of the modes Fixed and lowest priority. */
export const FIRST_LEGAL_VECTOR = 16;

/** Whether a message pends in an IRR: Fixed and lowest priority. */
export const pends = (mode: number): boolean => mode === DELIVERY.fixed || mode === DELIVERY.lowest;

/** A destination in words. */
export const destinationText = ({ destination, logical }: Pick<Delivery, 'destination' | 'logical'>): string =>
  `${logical ? 'logical destination' : 'APIC id'} ${logical ? `0x${destination.toString(16)}` : destination}`;
