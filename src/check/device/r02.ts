import { mark, message } from '../../model/events/notes.ts';
import { textOf } from '../names.ts';
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
      event(step, happened) {
        const { object } = happened;
        const text = textOf(scene.world, happened);
        for (const [pattern, title, source] of LINES) {
          const m = pattern.exec(text);
          if (m === null) continue;
          judged++;
          report({ step, object, title: title(m), text: `${text}. ${source}`, evidence: [] });
        }
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
