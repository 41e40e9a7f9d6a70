import { fitsPattern } from '../base/path-pattern.ts';
import { orNearest } from '../query/nearest.ts';
import type { Actions, Actor } from './machine.ts';
import type { Setup } from './setup.ts';

/** An argument of an operation, as it is asked for, validated and explained. */
export interface OperationArg {
  readonly name: string;
  readonly type: 'number' | 'hex' | 'flag' | 'text' | 'choice' | 'numbers';
  readonly meaning: string;
  /** Smallest and largest number. */
  readonly min?: number;
  readonly max?: number;
  /** The values of a choice. */
  readonly choices?: readonly string[];
  /** Used when the argument is absent; an argument without default must be there, unless `optional`. */
  readonly default?: OperationArgValue;
  readonly optional?: boolean;
}

export type OperationArgValue = number | string | boolean | readonly number[];

/** An operation as data: what scenarios, recordings and other tools carry. Hex arguments are texts (`"0xfee00000"`) or numbers. */
export interface Operation {
  readonly op: string;
  /** Path of the object that it is done to. */
  readonly object?: string | undefined;
  readonly [arg: string]: unknown;
}

/** The arguments of an operation after validation: defaults filled in, hex texts as numbers or bigint. */
export type OperationValues = Readonly<
  Record<string, number | string | boolean | bigint | readonly number[] | undefined>
>;

/** Something that the user can do to the system. */
export interface OperationSpec {
  /** `entry.mask`. */
  readonly name: string;
  /** For the palette and menus: `Mask`. */
  readonly title: string;
  /** What it does, and what happens, according to the documents, where it is illegal. */
  readonly meaning: string;
  /** Patterns of the paths of the objects it is done to (`*` is any one segment); empty: to the whole system. */
  readonly on: readonly string[];
  readonly args: readonly OperationArg[];
  /** Who does it. */
  readonly actor: Actor;
  /** Why it cannot be done in this system now; undefined when it can be done. Illegal operations can be done: events show their outcome. */
  readonly refuses?: (setup: Setup, object: string, values: OperationValues) => string | undefined;
  /** Does it at once, or returns actions that take time. */
  readonly run: (setup: Setup, object: string, values: OperationValues) => Actions<unknown> | undefined;
}

/** An operation that was validated. */
export interface Prepared {
  readonly spec: OperationSpec;
  readonly object: string;
  readonly values: OperationValues;
}

/** Whether an operation can be done to the object at a path. */
export const fitsObject = (spec: Pick<OperationSpec, 'on'>, path: string): boolean =>
  spec.on.some((pattern) => fitsPattern(path, pattern));

/** Operations that were validated, so that a task that runs a thousand times is validated once. */
const sound = new WeakMap<Operation, Prepared>();

/** Validates an operation; a text says what is wrong with it. An operation must not be changed afterwards. */
export function prepare(
  specs: ReadonlyMap<string, OperationSpec>,
  setup: Setup,
  operation: Operation,
): Prepared | string {
  const prepared = validated(specs, operation);
  if ('problem' in prepared) return prepared.problem;
  return prepared.spec.refuses?.(setup, prepared.object, prepared.values) ?? prepared;
}

/** What is wrong with an operation, and the key that it is about; `isKey`: the key itself is wrong, not its value. */
export interface OperationFault {
  readonly key: string;
  readonly isKey?: true;
  readonly problem: string;
}

/** What is wrong with an operation in any system; undefined when a system could do it. */
export function operationProblem(specs: ReadonlyMap<string, OperationSpec>, operation: Operation): string | undefined {
  return operationFault(specs, operation)?.problem;
}

/** The same, and the key of the operation that it is about. `isKey`: the key itself is wrong, not its value. */
export function operationFault(
  specs: ReadonlyMap<string, OperationSpec>,
  operation: Operation,
): OperationFault | undefined {
  const prepared = validated(specs, operation);
  return 'problem' in prepared ? prepared : undefined;
}

function validated(specs: ReadonlyMap<string, OperationSpec>, operation: Operation): Prepared | OperationFault {
  const known = sound.get(operation);
  if (known !== undefined && specs.get(operation.op) === known.spec) return known;
  const prepared = validate(specs, operation);
  if (!('problem' in prepared)) sound.set(operation, prepared);
  return prepared;
}

function validate(specs: ReadonlyMap<string, OperationSpec>, operation: Operation): Prepared | OperationFault {
  const spec = specs.get(operation.op);
  if (!spec)
    return { key: 'op', problem: `there is no operation ${operation.op}${orNearest(operation.op, specs.keys())}` };
  const object = operation.object ?? '';
  if (spec.on.length > 0 && !fitsObject(spec, object))
    return {
      key: object === '' ? 'op' : 'object',
      problem: `${spec.name} is done to ${spec.on.join(' or ')}, not to ${object === '' ? 'nothing' : object}`,
    };
  const values: Record<string, OperationValues[string]> = {};
  const known = new Set(['op', 'object', 'at', 'every', 'times', ...spec.args.map((a) => a.name)]);
  for (const name of Object.keys(operation))
    if (!known.has(name))
      return { key: name, isKey: true, problem: `${spec.name} has no argument ${name}${orNearest(name, known)}` };
  for (const arg of spec.args) {
    const given = operation[arg.name] ?? arg.default;
    if (given === undefined || given === null) {
      if (!arg.optional) return { key: 'op', problem: `${spec.name} needs ${arg.name}: ${arg.meaning}` };
      continue;
    }
    const value = argumentValue(arg, given);
    if (value === undefined)
      return { key: arg.name, problem: `${spec.name}: ${arg.name}=${String(given)} is no ${expected(arg)}` };
    values[arg.name] = value;
  }
  return { spec, object, values };
}

/** What an argument must be, in words. */
export function expected(arg: OperationArg): string {
  const limit = (n: number): string => (arg.type === 'hex' ? `0x${n.toString(16)}` : String(n));
  const ends = ` from ${limit(arg.min ?? 0)} to ${arg.max === undefined ? 'any' : limit(arg.max)}`;
  const range = arg.min === undefined && arg.max === undefined ? '' : ends;
  switch (arg.type) {
    case 'number':
      return `number${range}`;
    case 'hex':
      return `hexadecimal number${range}`;
    case 'flag':
      return 'flag (true or false)';
    case 'text':
      return 'text';
    case 'choice':
      return `one of ${(arg.choices ?? []).join(', ')}`;
    case 'numbers':
      return `list of numbers${range}`;
  }
}

/** The value of an argument from JSON or from typed text; undefined when it is no valid value. */
export function argumentValue(
  arg: OperationArg,
  given: unknown,
): number | string | boolean | bigint | readonly number[] | undefined {
  const within = (n: number): boolean =>
    Number.isSafeInteger(n) && n >= (arg.min ?? 0) && n <= (arg.max ?? Number.MAX_SAFE_INTEGER);
  switch (arg.type) {
    case 'number': {
      const n = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
      return typeof n === 'number' && within(n) ? n : undefined;
    }
    case 'hex': {
      if (typeof given === 'number') return within(given) ? given : undefined;
      if (typeof given !== 'string' || !/^(0x)?[0-9a-fA-F]{1,32}$/.test(given)) return undefined;
      const wide = BigInt(given.startsWith('0x') ? given : `0x${given}`);
      if (wide > BigInt(Number.MAX_SAFE_INTEGER)) return arg.max === undefined ? wide : undefined;
      return within(Number(wide)) ? Number(wide) : undefined;
    }
    case 'flag':
      if (given === true || given === 'true') return true;
      return given === false || given === 'false' ? false : undefined;
    case 'text':
      return typeof given === 'string' ? given : undefined;
    case 'choice':
      return typeof given === 'string' && arg.choices?.includes(given) ? given : undefined;
    case 'numbers': {
      const list =
        typeof given === 'string'
          ? given
              .split(/[\s,]+/)
              .filter(Boolean)
              .map(Number)
          : given;
      return Array.isArray(list) && list.every((n) => typeof n === 'number' && within(n)) ? list : undefined;
    }
  }
}
