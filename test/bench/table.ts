/** Prints a table: the first column to the left, the others to the right. */
export function printTable(title: string, rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  if (title !== '') console.log(`\n${title}`);
  for (const row of rows)
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '));
}

const MB = 1e6;

export const megabytes = (bytes: number): string => `${(bytes / MB).toFixed(0)} MB`;
export const milliseconds = (ms: number): string => `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;
export const times = (ratio: number): string => `${ratio.toFixed(2)}x`;
export const count = (n: number): string => n.toLocaleString('en-US');
