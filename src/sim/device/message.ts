import { pciRequester } from '../../model/registers/pci.ts';

/** A message write on its way: what an interrupt is between the device and whoever decodes it. */
export interface Message {
  /** Address (below 2^53) and data that are written. */
  readonly address: number;
  readonly data: number;
  /** Requester ID: bus in bits 15:8, device 7:3, function 2:0. On Arm the same number is the DeviceID. */
  readonly requester: number;
  /** PASID of the write, when the device tags it. */
  readonly pasid?: number;
  /** Number of the cause in the ledger; 0: nothing raised it (a write that software or a rogue device made). */
  readonly cause: number;
  /** Object that it was sent from: MSI-X or IMS entry, MSI capability, function. */
  readonly from: number;
}

/** Where messages arrive: the root complex of the host, or the emulated bus of a virtual machine. */
export interface MessagePort {
  /** A message write arrives. Called at the time of arrival, by the actor that carries it. */
  accept(message: Message): void;
}

/** The requester ID of a BDF with segment, such as `0000:6a:01.0`. */
export function requesterId(bdf: string): number {
  const m = /^[0-9a-f]{4}:([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/.exec(bdf);
  if (!m) throw new Error(`${bdf} is no BDF with segment`);
  const { bus, device, function: fn } = pciRequester.f;
  return bus.put(Number.parseInt(m[1]!, 16)) | device.put(Number.parseInt(m[2]!, 16)) | fn.put(Number(m[3]));
}
