import type { Design } from './design.ts';
import type { Machine } from './machine.ts';
import type { Scenario } from './scenario-schema.ts';

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
  /** How it is designed: the values of the policies. */
  readonly design: Design;
  readonly #parts = new Map<string, unknown>();

  constructor(machine: Machine, scenario: Scenario, design: Design) {
    this.machine = machine;
    this.scenario = scenario;
    this.design = design;
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
