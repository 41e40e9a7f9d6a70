import { open, stat } from 'node:fs/promises';
import type * as vscode from 'vscode';
import { activateWith } from './activate.ts';
import type { IrqScopeApi } from './api.ts';
import { breathe, CHUNK_BYTES, type FileSource, type Platform } from './platform.ts';
import { openThroughWorkspace } from './workspace-source.ts';

/** Reads a file of this machine piece by piece: memory holds at most one piece of it. */
async function openFile(path: string): Promise<FileSource> {
  const info = await stat(path);
  if (!info.isFile() && !info.isFIFO()) throw new Error(`${path} is ${info.isDirectory() ? 'a folder' : 'no file'}`);
  return {
    size: info.isFile() ? info.size : undefined,
    modified: info.mtimeMs,
    async *chunks() {
      const file = await open(path);
      try {
        for (;;) {
          // A new buffer for each piece: the receiver may keep it.
          const buffer = new Uint8Array(CHUNK_BYTES);
          const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
          if (bytesRead === 0) return;
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
