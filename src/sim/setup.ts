import { type Design, overheard } from './design.ts';
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
  /** How it is designed: the values of the policies. A part asks for those that it follows, and for no others. */
  readonly design: Design;
  readonly #read = new Set<string>();
  readonly #parts = new Map<string, unknown>();

  constructor(machine: Machine, scenario: Scenario, design: Design) {
    this.machine = machine;
    this.scenario = scenario;
    this.design = overheard(design, (policy) => this.#read.add(policy));
  }

  /** Names of the policies for which parts of the system asked so far: no other policy has an effect on it. */
  get policiesRead(): ReadonlySet<string> {
    return this.#read;
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
