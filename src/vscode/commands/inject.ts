import type { Operation, OperationSpec } from '../../sim/operation.ts';
import { showWarning } from '../message.ts';
import { type FileArgument, isRow } from '../selected.ts';
import type { OpenTrace } from '../sessions.ts';
import { askArguments, pickObject, pickOperation } from '../sim-input.ts';
import { showText } from '../text.ts';
import { type Handlers, say } from './handlers.ts';
import type { Find, SimServices } from './sim-services.ts';

/** The operation that an argument names: an operation as data, or its name. */
function operationOf(value: unknown): Operation | undefined {
  if (typeof value === 'string' && value !== '') return { op: value };
  if (typeof value === 'object' && value !== null && 'op' in value && typeof value.op === 'string')
    return value as Operation;
  return undefined;
}

const pathOf = (object: unknown): string | undefined =>
  typeof object === 'string' ? object : isRow(object) ? object.node.path : undefined;

/** Commands that put operations into a run, or into a trace that was read. Arguments: an object (or a row), the trace. */
export function injectCommands({ sessions, simulations, log }: SimServices, find: Find): Handlers {
  const inject = async (trace: OpenTrace, operation: Operation): Promise<number | undefined> => {
    const result = await simulations.inject(trace, operation);
    if ('refused' in result) {
      void showWarning(`${operation.op}: ${result.refused.replace(/\.?$/, '.')}`);
      return undefined;
    }
    sessions.activate(result);
    if (result !== trace) {
      say(`this is the branch ${result.label}; ${trace.label} does not change`);
      await showText(result).catch((error: unknown) => log.warn(`${result.label}: its text is not shown: ${error}`));
    } else if ((result.branch?.run?.began.at(-1) ?? -1) >= result.session.trace.length)
      say(`${operation.op} made no event yet: a step shows what it leads to, if anything`);
    return result.session.cursor;
  };
  /** Asks for what is missing, then does it. */
  const complete = async (
    trace: OpenTrace,
    spec: OperationSpec,
    object: string | undefined,
    given: Readonly<Record<string, unknown>>,
  ): Promise<number | undefined> => {
    const { fitsObject } = await import('../../sim/operation.ts');
    const suits = object !== undefined && fitsObject(spec, object);
    const path = spec.on.length === 0 ? '' : suits ? object : await pickObject(trace, spec);
    if (path === undefined) return undefined;
    const operation = await askArguments(spec, path === '' ? given : { ...given, object: path });
    return operation && inject(trace, operation);
  };
  const named =
    (name: string) =>
    (object?: unknown, file?: FileArgument): Promise<number | undefined> | undefined => {
      const trace = find(isRow(file) ? undefined : file);
      const spec = trace && sessions.operationsFor(trace).get(name);
      if (!spec) return undefined;
      return complete(trace, spec, pathOf(object) ?? trace.session.selection, {});
    };
  return {
    inject: async (what?: unknown, file?: FileArgument) => {
      const trace = find(isRow(file) || Array.isArray(file) ? undefined : file);
      if (!trace) return undefined;
      const given = operationOf(what);
      const row = isRow(what) ? what.node.path : undefined;
      const object = row ?? given?.object ?? trace.session.selection;
      const operations = sessions.operationsFor(trace);
      const spec = given ? operations.get(given.op) : await pickOperation(operations, object, row === undefined);
      if (spec) return complete(trace, spec, object, given ?? {});
      if (given) say(`this cannot be done to ${trace.label}: ${given.op}`);
      return undefined;
    },
    injectMask: named('entry.mask'),
    injectUnmask: named('entry.unmask'),
    injectRaise: named('device.raise'),
  };
}
