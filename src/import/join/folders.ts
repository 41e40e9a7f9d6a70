/** The folder of a file, '' for none. */
export const folderOf = (file: string): string => file.slice(0, Math.max(0, file.lastIndexOf('/')));

/** Folders that two paths have in common from the first on. */
export function commonFolders(a: string, b: string): number {
  const [x, y] = [a.split('/'), b.split('/')];
  let count = 0;
  while (count < x.length && x[count] === y[count]) count++;
  return count;
}

/**
 * The folder whose files were taken at one moment: that of the file, or the one above it that is called a snapshot, as the kit has it
 * (`snapshot-0/proc/interrupts`).
 */
export function momentOf(file: string): string {
  const folder = folderOf(file);
  const names = folder.split('/');
  const at = names.findLastIndex((name) => /^snap(?:shot)?(?![a-z])/i.test(name));
  return at < 0 ? folder : names.slice(0, at + 1).join('/');
}
