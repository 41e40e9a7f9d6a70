import * as vscode from 'vscode';
import { breathe, CHUNK_BYTES, type FileSource } from './platform.ts';

/** Reads a file through the editor, which is the only way in virtual workspaces and in the browser. The file comes in one piece. */
export async function openThroughWorkspace(uri: vscode.Uri): Promise<FileSource> {
  const stat = await vscode.workspace.fs.stat(uri);
  const folder = (stat.type & vscode.FileType.Directory) !== 0;
  return {
    size: folder ? undefined : stat.size,
    modified: stat.mtime,
    folder,
    identity: undefined,
    async *chunks(from = 0) {
      const all = await vscode.workspace.fs.readFile(uri);
      for (let at = from; at < all.length; at += CHUNK_BYTES) {
        yield all.subarray(at, at + CHUNK_BYTES);
        await breathe();
      }
    },
  };
}
