// Trace files in which the numbers that each run gives out by itself are others.

const add =
  (much: number) =>
  (_: string, before: string, number: string): string =>
    `${before}${Number(number) + much}`;

/** The lower half of an address in remappable format, for an entry that lies 7 behind (VT-d 5.1.2.2: handle in bits 19:5 and 2). */
function withHandle(text: string): string {
  const address = Number(text);
  if ((address & 0x10) === 0) return text;
  const handle = ((address >>> 5) & 0x7fff) + ((address & 4) << 13) + 7;
  const other = 0xfee00000 + ((handle & 0x7fff) << 5) + ((handle >>> 15) << 2) + (address & 0x1b);
  return `0x${other.toString(16)}`;
}

/** What changes the numbers of one kind in a line of a trace file. */
export const RENUMBERED: Readonly<Record<string, (line: string) => string>> = {
  'Linux irqs': (line) =>
    line
      .replaceAll(/((?<=[ =]|guest\/\d+\/)irq\/)(\d+)/g, add(100))
      .replace(/^(.* vfio\.(?:bind|fire) .*\birq=)(\d+)/, add(100))
      .replace(/(\bhostIrq=)(\d+)/, add(100))
      .replace(/^(.* (?:ims\.store|ntb\.publish) .*\bvirq=)(\d+)/, add(100)),
  GSIs: (line) =>
    line
      .replaceAll(/(kvm\/\d+\/(?:route|irqfd)\/)(\d+)/g, add(5))
      .replaceAll(/(\bgsi=)(\d+)/g, add(5))
      .replace(/^(.* vfio\.route .*\bvirq=)(\d+)/, add(5)),
  // GICv3: INTIDs from 8192 on.
  LPIs: (line) =>
    line
      .replaceAll(/(gic\/\d+\/lpi\/)(\d+)/g, add(16))
      .replaceAll(/(\/intid\/)(8[12]\d\d)\b/g, add(16))
      .replaceAll(/(\blpi=)(\d+)/g, add(16)),
  eventfds: (line) => line.replaceAll(/(\b(?:fd|eventfd)=)(\d+)/g, add(3)),
  'remapping entries': (line) =>
    line
      .replaceAll(/(irte\/(?!amdvi)[\w-]+\/)(\d+)/g, add(7))
      .replace(/^(.* (?:iec\.inv .*global=false|ir\.fault) .*\bindex=)(\d+)/, add(7))
      .replaceAll(/(?<=\b(?:address|newAddress|value)=|message\/)0xfee[0-9a-f]{5}\b/g, withHandle),
  'addresses of tables': (line) =>
    line.replaceAll(/(table\/0x)([0-9a-f]+)/g, (_, before: string, address: string) => {
      return `${before}${(Number.parseInt(address, 16) + 0x100000).toString(16)}`;
    }),
  'times and causes': (line) =>
    line
      .replace(/^(\d+)\./, (_, seconds: string) => `${Number(seconds) + 1000}.`)
      .replaceAll(/\b(cause|into)=\d+/g, '$1=7'),
};
