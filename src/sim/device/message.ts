/** A message write on its way: the form of an interrupt between the device and the part that decodes it. */
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
