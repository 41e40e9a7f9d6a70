// A handler that runs once more for an interrupt that came on another CPU (kernel/irq/chip.c handle_edge_irq).
import { story } from '../helpers/story.ts';

describe('effects: a handler that runs once more', () => {
  it('a handler that runs once more for an interrupt that came elsewhere tells nothing of the place of the irq', () => {
    const moved = `
      vec.update irq/40 vector=34 cpu=3 prevVector=0 prevCpu=0
      vec.update irq/40 vector=35 cpu=0 prevVector=34 prevCpu=3
      cpu3 irq.entry irq/40 name=eth0
      cpu0 vec.freeMoved irq/40 cpu=3 vector=34 managed=false`;
    const noted = 'cpu0 irq.status irq/40 disabled=false pending=true';
    const again = `
      cpu3 irq.exit irq/40 handled=true
      cpu3 irq.status irq/40 disabled=false pending=false
      cpu3 irq.entry irq/40 name=eth0`;
    story(`${moved}
      ${noted}
      = irq/40/again 3
      ${again}
      = irq/40/cpu 0
      = irq/40/vector 35
      = cpu/0/vector/35/irq 40
      ${noted}
      ${again}
      = cpu/0/vector/35/irq 40
      cpu3 irq.exit irq/40 handled=true
      = irq/40/again null
      cpu3 irq.entry irq/40 name=eth0
      = irq/40/cpu null
      = cpu/0/vector/35/irq null
    `);
    // What the CPU of the handler notes itself, or notes of an irq that is disabled, asks no other one to run it.
    for (const other of ['cpu3 irq.status irq/40 disabled=false', 'cpu0 irq.status irq/40 disabled=true'])
      story(`${moved}\n${other} pending=true\n= irq/40/again null`);
  });
});
