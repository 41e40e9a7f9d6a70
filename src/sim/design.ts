import { orNearest } from '../query/nearest.ts';
import { armPolicies } from './arm/policies.ts';
import { devicePolicies } from './device/policies.ts';
import { faultPolicies } from './faults/policies.ts';
import { hypervisorPolicies } from './hypervisor/policies.ts';
import { iommuPolicies } from './iommu/policies.ts';
import { irqPolicies } from './irq/policies.ts';
import { kvmPolicies } from './kvm/policies.ts';
import type { Policy } from './policy.ts';
import { queuePolicies } from './queue/policies.ts';
import { riscvPolicies } from './riscv/policies.ts';
import { vfioPolicies } from './vfio/policies.ts';

/** The policies of all subjects, by their key in a design. */
const all = {
  ...devicePolicies,
  ...irqPolicies,
  ...iommuPolicies,
  ...armPolicies,
  ...riscvPolicies,
  ...kvmPolicies,
  ...vfioPolicies,
  ...hypervisorPolicies,
  ...queuePolicies,
  ...faultPolicies,
} as const;

type ValueOf<P> = P extends Policy<infer V> ? V : never;

/** How a simulated system is designed: the value of every policy. */
export type Design = { readonly [K in keyof typeof all]: ValueOf<(typeof all)[K]> };

/** Policies by name, as scenarios and settings have them. */
export const policies: ReadonlyMap<string, Policy> = new Map(Object.values(all).map((p: Policy) => [p.name, p]));

/** What is wrong with settings, values of policies by name; undefined: nothing. */
export function settingsProblem(settings: Readonly<Record<string, string>>): string | undefined {
  for (const [name, value] of Object.entries(settings)) {
    const problem = settingProblem(name, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What is wrong with one of them. */
export function settingProblem(name: string, value: string): string | undefined {
  const known = policies.get(name);
  if (!known) return `there is no policy ${name}${orNearest(name, policies.keys())}`;
  const values = known.values.map((v) => v.value);
  return values.includes(value)
    ? undefined
    : `policy ${name} is one of ${values.join(', ')}, not ${value}${orNearest(value, values)}`;
}

/** The design that settings make; policies that they do not name have their default. */
export function designOf(settings: Readonly<Record<string, string>>): Design {
  const chosen = ({ name, values }: Policy): string =>
    values.find((v) => v.value === settings[name])?.value ?? values[0]!.value;
  return Object.fromEntries(Object.entries(all).map(([key, p]) => [key, chosen(p as Policy)])) as Design;
}

/** The same design, which tells the name of a policy to `read` whenever a part of the system asks for its value. */
export function overheard(design: Design, read: (policy: string) => void): Design {
  const told: Record<string, PropertyDescriptor> = {};
  for (const [key, { name }] of Object.entries<Policy>(all)) {
    const value = design[key as keyof Design];
    const get = (): string => {
      read(name);
      return value;
    };
    told[key] = { enumerable: true, get };
  }
  return Object.create(null, told) as Design;
}
