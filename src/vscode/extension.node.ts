import { open, stat } from 'node:fs/promises';
import type * as vscode from 'vscode';
import { activateWith } from './activate.ts';
import type { IrqScopeApi } from './api.ts';
import { breathe, CHUNK_BYTES, type FileSource, type Platform } from './platform.ts';
import { openThroughWorkspace } from './workspace-source.ts';

/** Reads a file of this machine piece by piece: memory holds at most one piece of it. */
async function openFile(path: string): Promise<FileSource> {
  const info = await stat(path);
  const folder = info.isDirectory();
  if (!info.isFile() && !info.isFIFO() && !folder) throw new Error(`${path} is no file`);
  return {
    size: info.isFile() ? info.size : undefined,
    modified: info.mtimeMs,
    folder,
    identity: info.ino === 0 ? undefined : `${info.dev} ${info.ino}`,
    async *chunks(from = 0) {
      const file = await open(path);
      // Only a regular file can be read from a place on.
      let at = info.isFile() ? from : null;
      try {
        for (;;) {
          // A new buffer for each piece: the receiver may keep it.
          const buffer = new Uint8Array(CHUNK_BYTES);
          const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, at);
          if (bytesRead === 0) return;
          if (at !== null) at += bytesRead;
          yield buffer.subarray(0, bytesRead);
          await breathe();
        }
      } finally {
        await file.close();
      }
    },
  };
}

const platform: Platform = {
  openSource: (uri) => (uri.scheme === 'file' ? openFile(uri.fsPath) : openThroughWorkspace(uri)),
};

export function activate(context: vscode.ExtensionContext): IrqScopeApi {
  return activateWith(platform, context);
}
