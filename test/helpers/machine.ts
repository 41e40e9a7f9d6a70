// A machine with very many interrupts, as a trace file.

/**
 * A trace file of `n` MSI-X interrupts, 2048 for each function, all joined by their messages, and handlers of them. `masked`: each entry
 * sends a message at the end although it is masked, which rule F03 finds.
 */
export function machine(n: number, masked = false): string {
  const lines = ['#irqtrace 1', '#clock seconds digits=6 test'];
  const say = (event: string): unknown => lines.push(`${lines.length}.000000 - - ${event}`);
  const entryOf = (i: number): string => `device/0000:${String(10 + Math.floor(i / 2048))}:00.0/msix/${i % 2048}`;
  // VT-d 5.1.2.2: handle 14:0 in address bits 19:5, bit 4 the format.
  const addressOf = (i: number): string => `0x${(0xfee00010 + i * 32).toString(16)}`;
  say('ir.enable irte/dmar0 enable=true');
  for (let i = 0; i < n; i++) {
    const entry = entryOf(i);
    const [cpu, vector] = [i % 128, 33 + Math.floor(i / 128)];
    say(`irte.write irte/dmar0/${i} value=0x00000000000400180000000000000009`);
    say(`vec.update irq/${24 + i} vector=${vector} cpu=${cpu} prevVector=0 prevCpu=0`);
    say(`msg.write irq/${24 + i} address=${addressOf(i)} data=0x0`);
    say(`tbl.write ${entry} offset=0x0 size=8 value=${addressOf(i)}`);
    say(`tbl.write ${entry} offset=0x8 size=8 value=${masked ? '0x100000000' : '0x0'}`);
  }
  for (let i = 0; i < 2 * n; i++) say(`irq.entry irq/${24 + ((i * 7919) % n)} name=q`);
  for (let i = 0; i < n && masked; i++) say(`send ${entryOf(i)} address=${addressOf(i)} data=0x0`);
  return `${lines.join('\n')}\n`;
}
