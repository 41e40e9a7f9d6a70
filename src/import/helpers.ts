/** What the place in which the product runs can do for readers beyond what every place can; a shell hands it in. Nothing of it is needed. */
export interface Helpers {
  /**
   * Unpacks zstd data that hold `size` bytes; undefined where it cannot: then it is done here, which also tells what is wrong. Of data without
   * a checksum it may take some for good that are damaged, and that are refused here.
   */
  readonly unzstd?: ((packed: Uint8Array, size: number) => Uint8Array | undefined) | undefined;
  /** Starts a thread that answers requests (see tracedat/thread.ts) to unpack so many bytes; undefined where there is none to spare for that. */
  readonly thread?: ((size: number) => Thread | undefined) | undefined;
}

/** A thread that takes requests in order and answers each. */
export interface Thread {
  /** Sends a request; `moved` are buffers of it that the thread has from then on. */
  send(request: unknown, moved: readonly ArrayBuffer[]): void;
  /** Waits for the next answer; undefined where none will come. */
  receive(): unknown;
  /** Nothing is asked any more. */
  end(): void;
}
