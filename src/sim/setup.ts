import type { Machine } from './machine.ts';
import type { Policy } from './policy.ts';
import type { Scenario } from './scenario.ts';

/** The name of a part of the system under which others find it. */
export interface Service<T> {
  readonly name: string;
  /** Never set: carries the type. */
  readonly type?: T;
}

/** Names a part of the system. */
export const service = <T>(name: string): Service<T> => ({ name });

/** The simulated system: the machine, the scenario, and the parts that were put together for it. */
export class Setup {
  readonly machine: Machine;
  readonly scenario: Scenario;
  readonly #settings: ReadonlyMap<string, string>;
  readonly #parts = new Map<string, unknown>();

  /** `settings`: values of policies by name; policies not named have their default. */
  constructor(machine: Machine, scenario: Scenario, settings: ReadonlyMap<string, string>) {
    this.machine = machine;
    this.scenario = scenario;
    this.#settings = settings;
  }

  /** The value of a policy. */
  policy<V extends string>(policy: Policy<V>): V {
    const set = this.#settings.get(policy.name);
    return policy.values.find((v) => v.value === set)?.value ?? policy.values[0]!.value;
  }

  /** Puts a part into the system. */
  provide<T>(name: Service<T>, part: T): T {
    this.#parts.set(name.name, part);
    return part;
  }

  /** A part, when the scenario has it. */
  find<T>(name: Service<T>): T | undefined {
    return this.#parts.get(name.name) as T | undefined;
  }

  /** A part that must be there; throws when the scenario has none. Operations ask `find` instead and refuse. */
  use<T>(name: Service<T>): T {
    const part = this.find(name);
    if (part === undefined) throw new Error(`the system has no ${name.name}`);
    return part;
  }
}
