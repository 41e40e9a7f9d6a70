import * as vscode from 'vscode';

/**
 * Writes a file so that the old one stays until the new one is whole: beside it first, then in its place. A link is written through, and so
 * is a file of a virtual file system, which may not know how to rename.
 */
export async function writeWhole(uri: vscode.Uri, bytes: Uint8Array): Promise<void> {
  const { fs } = vscode.workspace;
  const about = await Promise.resolve(fs.stat(uri)).catch(() => undefined);
  if (uri.scheme !== 'file' || (about !== undefined && about.type !== vscode.FileType.File)) {
    await fs.writeFile(uri, bytes);
    return;
  }
  const beside = vscode.Uri.joinPath(uri, '..', `.irqscope-${Date.now().toString(36)}.part`);
  try {
    await fs.writeFile(beside, bytes);
    await fs.rename(beside, uri, { overwrite: true });
  } catch (error) {
    await Promise.resolve(fs.delete(beside)).catch(() => {});
    throw error;
  }
}
