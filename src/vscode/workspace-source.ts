import * as vscode from 'vscode';
import { breathe, CHUNK_BYTES, type FileSource } from './platform.ts';

/** Reads a file through the editor, which is the only way in virtual workspaces and in the browser. The file comes in one piece. */
export async function openThroughWorkspace(uri: vscode.Uri): Promise<FileSource> {
  const stat = await vscode.workspace.fs.stat(uri);
  if (stat.type & vscode.FileType.Directory) throw new Error(`${uri.path} is a folder`);
  return {
    size: stat.size,
    modified: stat.mtime,
    async *chunks() {
      const all = await vscode.workspace.fs.readFile(uri);
      for (let at = 0; at < all.length; at += CHUNK_BYTES) {
        yield all.subarray(at, at + CHUNK_BYTES);
        await breathe();
      }
    },
  };
}
