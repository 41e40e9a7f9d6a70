import type * as vscode from 'vscode';

/** The bytes of one trace file, in order. */
export interface FileSource {
  /** Size of the file on disk (of packed files: packed); undefined when it is not known. */
  readonly size: number | undefined;
  /** Time of its last change in milliseconds, 0 when it is not known. It tells whether an open trace is still the same file. */
  readonly modified: number;
  /** It is a folder: it has no bytes. */
  readonly folder: boolean;
  /** What tells it from another file that takes its name later; undefined where nothing does. */
  readonly identity: string | undefined;
  /** Its bytes from a place on, in pieces; between two pieces the extension host can do other work. */
  chunks(from?: number): AsyncIterable<Uint8Array>;
}

/** What differs between the extension hosts that this extension runs in. */
export interface Platform {
  openSource(uri: vscode.Uri): Promise<FileSource>;
}

/** Bytes that are read and imported in one go: about 10 ms of work. */
export const CHUNK_BYTES = 1 << 20;

/** Lets other waiting work run. */
export const breathe = (): Promise<void> => new Promise((done) => setTimeout(done, 0));
