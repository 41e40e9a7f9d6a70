/** A PCI function by its numbers. */
export interface Bdf {
  readonly segment: number;
  readonly bus: number;
  readonly device: number;
  readonly fn: number;
  /** Requester ID: bus in bits 15:8, device 7:3, function 2:0 (PCIe 2.2.6.2). On Arm the same number is the DeviceID. */
  readonly requester: number;
}

/** The numbers of a BDF with segment, such as `0000:6a:01.0`; undefined when the text is none. */
export function parseBdf(text: string): Bdf | undefined {
  const m = /^([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/.exec(text);
  if (!m) return undefined;
  const [segment, bus, device, fn] = m.slice(1).map((part) => Number.parseInt(part, 16)) as [
    number,
    number,
    number,
    number,
  ];
  return device > 31 ? undefined : { segment, bus, device, fn, requester: (bus << 8) | (device << 3) | fn };
}
