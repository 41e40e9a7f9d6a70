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
  const is = (file: vscode.Uri): Promise<boolean> =>
    Promise.resolve(fs.stat(file)).then(
      () => true,
      () => false,
    );
  try {
    await fs.writeFile(beside, bytes);
    await fs.rename(beside, uri, { overwrite: true });
  } catch (error) {
    // The editor removes the old file before it renames. Where only that has succeeded, the new one is all that is left.
    if (about === undefined || (await is(uri))) await Promise.resolve(fs.delete(beside)).catch(() => {});
    else throw new Error(`${(error as Error).message}; what was written is in ${beside.fsPath}`);
    throw error;
  }
}
