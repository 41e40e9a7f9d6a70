import { hexText } from '../base/hex.ts';
import type { DocumentPath } from '../base/json-place.ts';
import { requesterId } from '../model/bdf.ts';
import { type ItsPlace, itsOf, placeProblems } from './arm/units/places.ts';
import { nanoseconds, type Scenario } from './scenario-schema.ts';

/** What is wrong with a scenario, and where. */
export interface ScenarioProblem {
  /** Where in the document: `devices.0.bdf`. */
  readonly path: string;
  /** The keys that lead there, where one of them may hold a point. */
  readonly at?: DocumentPath;
  /** The key there is wrong, not its value. */
  readonly isKey?: boolean;
  readonly problem: string;
}

/** Latest time of a run: nanoseconds beyond it are no whole numbers any more. */
const LATEST = Number.MAX_SAFE_INTEGER;

/** Finds times that a run cannot have. */
export function timeProblems({ workload }: Scenario): ScenarioProblem[] {
  const problems: ScenarioProblem[] = [];
  for (const [i, { at, every = 0, times = 1 }] of workload.entries()) {
    const [first, step] = [nanoseconds(at), nanoseconds(every)];
    const key = !(first <= LATEST) ? 'at' : !(step <= LATEST) ? 'every' : 'times';
    if (!(first + step * (times - 1) <= LATEST))
      problems.push({ path: `workload.${i}.${key}`, problem: 'the time is later than 104 days' });
  }
  return problems;
}

/** Finds functions and virtual machines that two of a scenario have, and CPUs of the host that a machine uses and that are not there. */
export function nameProblems({ devices, vms, platform }: Scenario): ScenarioProblem[] {
  const problems: ScenarioProblem[] = [];
  const functions = new Set<string>();
  for (const [i, { bdf }] of devices.entries()) {
    if (functions.has(bdf)) problems.push({ path: `devices.${i}.bdf`, problem: `another function is ${bdf}` });
    functions.add(bdf);
  }
  const ids = new Set<number>();
  for (const [i, { id, devices: own, share }] of vms.entries()) {
    if (share && share.cpus > platform.cpus)
      problems.push({ path: `vms.${i}.share.cpus`, problem: `the host has ${platform.cpus} CPUs` });
    if (ids.has(id)) problems.push({ path: `vms.${i}.id`, problem: `another virtual machine is ${id}` });
    ids.add(id);
    for (const [k, { bdf }] of own.entries()) {
      if (functions.has(bdf))
        problems.push({ path: `vms.${i}.devices.${k}.bdf`, problem: `another function is ${bdf}` });
      functions.add(bdf);
    }
  }
  return problems;
}

/** Finds ITSs that a host cannot have, and functions that none of them serves. */
function itsProblems(its: readonly ItsPlace[], fits: boolean, devices: Scenario['devices']): ScenarioProblem[] {
  const problems: ScenarioProblem[] = [];
  if (!fits) problems.push({ path: 'platform.its', problem: 'only an arm64 host with remap its has ITSs' });
  for (const [i, key, problem] of placeProblems(its)) problems.push({ path: `platform.its.${i}.${key}`, problem });
  for (const [i, { bdf }] of devices.entries()) {
    const id = requesterId(bdf);
    if (itsOf(its, id) < 0)
      problems.push({
        path: `devices.${i}.bdf`,
        problem: `no ITS serves its requester ID, ${hexText(id)} (platform.its)`,
      });
  }
  return problems;
}

/**
 * Finds what the host has no place for: the vectors of an x86 CPU, and wires that lead nowhere. INTx pins go to the I/O APIC of an x86 host without
 * remapping or to the APLIC of a riscv64 host, the timer to that of one with VT-d.
 */
export function hostProblems({
  devices,
  iommufd,
  vms,
  platform: { arch, remap, timer, vectors, smmu, spis, invalidation, its },
}: Scenario): ScenarioProblem[] {
  const problems: ScenarioProblem[] = its ? itsProblems(its, arch === 'arm64' && remap !== 'gicv2m', devices) : [];
  if (arch === 'arm64' && (remap === 'vtd' || remap === 'amd'))
    problems.push({
      path: 'platform.remap',
      problem: `an arm64 host has no ${remap === 'vtd' ? 'VT-d' : 'AMD'} unit: its messages go through an ITS (remap its) or a GICv2m frame (gicv2m)`,
    });
  if (arch === 'x86' && remap === 'gicv2m')
    problems.push({ path: 'platform.remap', problem: 'an x86 host has no GICv2m frame: remap is none, vtd or amd' });
  if (spis !== undefined && remap !== 'gicv2m')
    problems.push({ path: 'platform.spis', problem: 'only a GICv2m frame has SPIs for messages (remap gicv2m)' });
  if (invalidation !== undefined && remap !== 'vtd')
    problems.push({
      path: 'platform.invalidation',
      problem: 'only a VT-d unit has an invalidation queue here (remap vtd)',
    });
  if (iommufd && remap === 'gicv2m')
    problems.push({ path: 'iommufd', problem: 'iommufd is simulated on a host with an ITS (remap its)' });
  if (arch === 'riscv64') {
    if (remap !== 'none')
      problems.push({ path: 'platform.remap', problem: 'a riscv64 host has no remapping here: remap is none' });
    if (smmu || iommufd)
      problems.push({ path: smmu ? 'platform.smmu' : 'iommufd', problem: 'a riscv64 host has no SMMU' });
    if (vms.length > 0) problems.push({ path: 'vms', problem: 'a riscv64 host runs no virtual machines here' });
  }
  if (arch === 'x86' && remap === 'its')
    problems.push({ path: 'platform.remap', problem: 'an x86 host has no ITS: remap is none, vtd or amd' });
  if (arch === 'x86' && smmu) problems.push({ path: 'platform.smmu', problem: 'an x86 host has no SMMU' });
  if (vectors !== undefined && arch !== 'x86')
    problems.push({ path: 'platform.vectors', problem: 'only an x86 host has vectors' });
  if (timer && (arch !== 'x86' || remap !== 'vtd'))
    problems.push({ path: 'platform.timer', problem: 'the timer is tested on an x86 host with remap vtd' });
  if ((arch === 'x86' && remap === 'none') || arch === 'riscv64') return problems;
  for (const [i, { intx }] of devices.entries())
    if (intx)
      problems.push({
        path: `devices.${i}.intx`,
        problem: 'only an x86 host without remapping and a riscv64 host have wires',
      });
  return problems;
}

/** Finds consumers that name something that does not exist, or that another consumer has. */
export function consumerProblems({ consumers, devices, vms }: Scenario): ScenarioProblem[] {
  const problems: ScenarioProblem[] = [];
  const taken = new Set(devices.map((d) => d.bdf));
  const names = new Set<string>();
  for (const [i, { name, device: bdf, vm: id, guest }] of consumers.entries()) {
    const say = (key: string, problem: string): void => {
      problems.push({ path: `consumers.${i}.${key}`, problem });
    };
    const used = devices.find((d) => d.bdf === bdf);
    if (!used) say('device', `there is no function ${bdf}`);
    else if (used.driver !== 'none') say('device', `${bdf} is driven by the host: its driver must be none`);
    if (id !== undefined && !vms.some((one) => one.id === id)) say('vm', `there is no virtual machine ${id}`);
    if (guest !== undefined && taken.has(guest)) say('guest', `${guest} is the BDF of another function`);
    if (names.has(name)) say('name', `another consumer is called ${name}`);
    if (guest !== undefined) taken.add(guest);
    names.add(name);
  }
  return problems;
}

/** Finds assigned devices that name something that does not exist, or that cannot be served as they ask. */
export function vfioProblems({ vfio, devices, vms, policies }: Scenario): ScenarioProblem[] {
  const problems: ScenarioProblem[] = [];
  const bdfs = new Set([...devices.map((d) => d.bdf), ...vms.flatMap((one) => one.devices.map((d) => d.bdf))]);
  const names = new Set<string>();
  for (const [i, { name, parent, backend, idxd, vm: id, guest, msi, guestMsi }] of vfio.entries()) {
    const say = (key: string, problem: string): void => {
      problems.push({ path: `vfio.${i}.${key}`, problem });
    };
    const bdf = parent ?? name;
    const used = devices.find((d) => d.bdf === bdf);
    const kind = backend ?? policies['vfioBackend'] ?? 'pci';
    if (!used && (parent !== undefined || kind !== 'emulated'))
      say(parent === undefined ? 'name' : 'parent', `there is no function ${bdf} whose interrupts could serve it`);
    if (used && kind === 'pci' && used.driver !== 'none')
      say('name', `${bdf} is driven by the host: its driver must be none`);
    if (used && kind === 'ims' && !used.ims) say('backend', `${bdf} has no interrupt message storage`);
    const offered = used?.msi ? used.msiVectors : 0;
    if (msi !== undefined && kind === 'pci' && msi > offered)
      say('msi', `the MSI capability of ${bdf} has ${offered} vectors`);
    if (guestMsi !== undefined && (kind !== 'pci' || offered < guestMsi))
      say('guestMsi', `the MSI capability of ${bdf} has ${kind === 'pci' ? offered : 0} vectors`);
    if (guestMsi !== undefined && id === undefined) say('guestMsi', 'no virtual machine has it');
    if (idxd && kind !== 'ims') say('idxd', 'a permission table is copied to IMS entries: backend ims is needed');
    if (id !== undefined && !vms.some((one) => one.id === id)) say('vm', `there is no virtual machine ${id}`);
    if ((id !== undefined || idxd) && guest === undefined) say('guest', 'the BDF that the guest sees is missing');
    if (guest !== undefined && bdfs.has(guest)) say('guest', `${guest} is the BDF of another function`);
    if (names.has(name)) say('name', `another assigned device is called ${name}`);
    if (guest !== undefined) bdfs.add(guest);
    names.add(name);
  }
  return problems;
}
