/**
 * Doorbells, as probes at iommu_dma_prepare_msi show them. Every controller that takes messages behind an IOMMU calls it: an ITS
 * (its_irq_domain_alloc, drivers/irqchip/irq-gic-v3-its.c, once for each allocation) or a GICv2m frame (gicv2m_irq_domain_alloc,
 * drivers/irqchip/irq-gic-v2m.c). The call does not say which: a record of the caller does, or the return.
 */
import { hex64 } from '../../base/hex.ts';
import { gicFrameSeen, itsDoorbell } from '../../model/events/its.ts';
import type { Ftrace } from './context.ts';

interface Address {
  readonly lo: number;
  readonly hi: number;
}

class Doorbells {
  /** Units by the address of their doorbell: they are numbered as they come, for no record numbers them. */
  readonly its = new Map<string, number>();
  readonly frames = new Map<string, number>();
  /** Threads that are in the allocation of an ITS, which has not called yet. */
  readonly allocating = new Set<number>();
  /** Doorbells of calls that have not returned, by thread, of which the caller is not known. */
  readonly open = new Map<number, Address>();
}

const known = new WeakMap<Ftrace, Doorbells>();

function doorbellsOf(f: Ftrace): Doorbells {
  let doorbells = known.get(f);
  if (doorbells === undefined) known.set(f, (doorbells = new Doorbells()));
  return doorbells;
}

function numberOf(units: Map<string, number>, { lo, hi }: Address): number {
  const key = hex64(hi, lo);
  let number = units.get(key);
  if (number === undefined) units.set(key, (number = units.size));
  return number;
}

function tellIts(f: Ftrace, address: Address): void {
  const { its } = doorbellsOf(f);
  f.emit(itsDoorbell.put().address(address.lo, address.hi), f.object(`its/${numberOf(its, address)}`));
}

function tellFrame(f: Ftrace, address: Address): void {
  const frame = f.object(`gic/0/frame/${numberOf(doorbellsOf(f).frames, address)}`);
  f.emit(gicFrameSeen.put().doorbell(address.lo, address.hi), frame);
}

/** The ITS begins to allocate an irq. */
export function itsAllocates(f: Ftrace): void {
  if (f.thread >= 0) doorbellsOf(f).allocating.add(f.thread);
}

/**
 * A call with the doorbell of the caller, or one that it makes with the same address; false when that was not fetched, or nothing tells
 * yet whose it is.
 */
export function prepares(f: Ftrace, address: Address | undefined): boolean {
  const { allocating, open, its, frames } = doorbellsOf(f);
  const { thread } = f;
  open.delete(thread);
  const ofIts = allocating.delete(thread);
  if (address === undefined) return false;
  const at = hex64(address.hi, address.lo);
  if (ofIts || its.has(at)) tellIts(f, address);
  else if (frames.has(at)) tellFrame(f, address);
  else {
    if (thread >= 0) open.set(thread, address);
    return false;
  }
  return true;
}

/** The call returns to a function; false when that tells nothing new. */
export function prepared(f: Ftrace, caller: string): boolean {
  const { open } = doorbellsOf(f);
  const address = open.get(f.thread);
  open.delete(f.thread);
  if (address === undefined) return false;
  if (caller.startsWith('its_')) {
    tellIts(f, address);
    return true;
  }
  if (!caller.startsWith('gicv2m_')) return false;
  tellFrame(f, address);
  return true;
}
