import type { ObjectId } from '../../base/ids.ts';
import { mark, message } from '../../model/events/notes.ts';
import { entryOfIrq } from '../../model/joins.ts';
import { maskedBy, pendingOf } from '../../model/masking.ts';
import type { State } from '../../model/state.ts';
import { irq } from '../../model/things/irq.ts';
import { messageText } from '../device/entries.ts';
import { entryName, textOf } from '../names.ts';
import type { Rule } from '../rule.ts';

/** Lines of kernel logs that tell of an interrupt that never came, and what they mean. */
const LINES: readonly (readonly [RegExp, (m: RegExpExecArray) => string, string])[] = [
  [
    /\b(nvme\S*): I\/O (?:tag )?(\d+)[^,]*?QID (\d+) timeout, completion polled/,
    (m) => `${m[1]}: request ${m[2]} of queue ${m[3]} had completed, and no interrupt told it`,
    'drivers/nvme/host/pci.c nvme_timeout: the completion was in the queue when the request timed out; its interrupt did not arrive.',
  ],
  [
    /\b(ata\S*): lost interrupt \(Status (0x[0-9a-f]+)\)/,
    (m) => `${m[1]}: the device was ready (status ${m[2]}), and no interrupt told it`,
    'drivers/ata/libata-sff.c ata_sff_lost_interrupt: the device had finished its command; its interrupt did not arrive.',
  ],
  [
    /\b(mmc\S*): Timeout waiting for hardware interrupt/,
    (m) => `${m[1]}: a command ended in a time-out, no interrupt came`,
    'drivers/mmc/host/sdhci.c sdhci_timeout_timer.',
  ],
  [
    /\b(mlx\S* \S+): .*Recovered (\d+) EQEs on cmd_eq/,
    (m) => `${m[1]}: ${m[2]} events lay in the queue, and no interrupt told them`,
    'drivers/net/ethernet/mellanox/mlx5/core/eq.c mlx5_cmd_eq_recover: the queue was polled after a time-out.',
  ],
];

/** Drivers name the handler of an nvme queue `nvme0q1`. */
const NVME = /\b(nvme\d+): I\/O .*\bQID (\d+) timeout/;

/** What holds the interrupt of an nvme queue back at that step, as far as the state tells; '' where no irq has its name. `near`: an object of the system. */
function stateOfQueue(state: State, near: ObjectId, text: string): string {
  const [, name, queue] = NVME.exec(text) ?? [];
  const irqs = state.world.spaceOf(near).find('irq');
  if (name === undefined || irqs === undefined) return '';
  for (const { object, segment } of irqs.children.values()) {
    if (state.world.type(object) !== irq || state.text(object, irq.at.name) !== `${name}q${queue}`) continue;
    const entry = entryOfIrq(state, object);
    if (entry < 0) return ` Its irq is ${segment}.`;
    const by = maskedBy(state, entry);
    const sent = messageText(state, entry);
    const waits = pendingOf(state, entry) === true ? ', and its pending bit was set' : '';
    const held = sent === undefined ? '' : `; its message was ${sent}`;
    return ` Its irq is ${segment}, ${entryName(state.world, entry)}. Then the entry ${BY[by ?? 'unknown']}${waits}${held}.`;
  }
  return '';
}

const BY = {
  off: 'was off (MSI-X Enable)',
  function: 'was masked with its whole function (Function Mask)',
  own: 'was masked by its own mask bit',
  none: 'was not masked',
  unknown: 'was masked or not: the trace does not tell',
} as const;

/** R02. */
export const polledOnly: Rule<'R02'> = {
  id: 'R02',
  names: [],
  title: 'Interrupt that only a poll replaced',
  meaning: 'A driver finds no completion by polling after a time-out: the interrupt told it before.',
  reference: 'drivers/nvme/host/pci.c nvme_timeout, drivers/ata/libata-sff.c ata_sff_lost_interrupt',
  severity: 'warning',
  kinds: [message, mark],
  needs: [[message, mark]],
  needsAll: false,
  confirm: 'the delivery path of that vector at that time, and the row of the irq in /proc/interrupts before and after',
  watch(report, scene) {
    let judged = 0;
    return {
      event(step, happened, state) {
        const { object } = happened;
        const text = textOf(scene.world, happened);
        for (const [pattern, title, source] of LINES) {
          const m = pattern.exec(text);
          if (m === null) continue;
          judged++;
          report({
            step,
            object,
            title: title(m),
            text: `${text}. ${source}${stateOfQueue(state, object, text)}`,
            evidence: [],
          });
        }
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
