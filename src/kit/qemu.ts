/** How to record a machine under QEMU: options of its command line, and commands of its monitors, for the events that the importer reads. */
import { QEMU_EVENTS } from '../import/qemu/importer.ts';

/** The file of event names, under the name that the texts use. */
export const QEMU_EVENTS_FILE = 'irqscope-events.txt';
/** The log that QEMU writes, under the name that the texts use. */
const LOG = 'qemu-irqscope.log';

/** How a machine under QEMU is recorded. */
export interface QemuRecipe {
  /** Names of trace events; QEMU warns of those that its version lacks and goes on. */
  readonly events: readonly string[];
  /** Options of the command line. */
  readonly options: readonly string[];
  /** Commands of the human monitor, for a machine that runs already. */
  readonly hmp: readonly string[];
  /** Commands of QMP, for a machine that runs already. */
  readonly qmp: readonly string[];
}

/**
 * The recipe. Options: docs of `-trace`, `-D` and `-msg` in qemu-options.hx; commands: `trace-event` and `logfile` of
 * hmp-commands.hx, `trace-event-set-state` of qapi/trace.json. QEMU has no command that switches stamps on later.
 */
export function qemuRecipe(): QemuRecipe {
  return {
    events: QEMU_EVENTS,
    options: [`-trace events=${QEMU_EVENTS_FILE}`, `-D ${LOG}`, '-msg timestamp=on'],
    hmp: [`logfile ${LOG}`, ...QEMU_EVENTS.map((name) => `trace-event ${name} on`)],
    qmp: QEMU_EVENTS.map((name) =>
      JSON.stringify({
        execute: 'trace-event-set-state',
        arguments: { name, enable: true, 'ignore-unavailable': true },
      }),
    ),
  };
}

/** The recipe as an events file of QEMU: one name a line; lines that begin with `#` are comments and hold the rest. */
export function qemuEventsFile(): string {
  const { events, options } = qemuRecipe();
  const [first] = events;
  return `# Trace events of QEMU that IRQScope reads. This text is itself the file for -trace events=FILE.
#
# A machine that starts now (QEMU warns of events that its version does not have, and goes on):
#
#     qemu-system-... ${options.join(' ')}
#
# A machine that runs, on its human monitor, for each event below (the log has stamps only with -msg timestamp=on):
#
#     logfile ${LOG}
#     trace-event ${first} on
#
# or by QMP:
#
#     {"execute": "trace-event-set-state",
#      "arguments": {"name": "${first}", "enable": true, "ignore-unavailable": true}}
#
# All commands at once: irqscope kit --qemu --hmp, irqscope kit --qemu --qmp. Events go off again with "off" and false.
# memory_region_ops_write and _read show the MSI-X table; they are many. QEMU must have the log backend (its default).
#
${events.join('\n')}
`;
}
