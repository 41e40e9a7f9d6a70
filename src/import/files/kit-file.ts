/** The file that the capture kit writes beside its trace and snapshots (docs/capture-kit.md). */

/** What it tells of the recording as a whole. */
export interface KitFacts {
  /** Release of the kernel, such as `6.12.9`; null where it is not told. */
  readonly kernel: string | null;
  /** When the recording began, in milliseconds since 1970; null where it is not told. */
  readonly began: number | null;
}

/** Characters of the file that are read. */
export const MOST_KIT = 1 << 20;

/** Whether a file of an archive or folder is the one that the kit writes. */
export const isKitFile = (path: string): boolean => /(?:^|[/\\])kit\.json$/.test(path);

/** What its text tells; undefined where it is another file of that name. */
export function readKit(text: string): KitFacts | undefined {
  let kit: unknown;
  try {
    kit = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof kit !== 'object' || kit === null || !('kit' in kit)) return undefined;
  const { kernel, clocks } = kit as { kernel?: unknown; clocks?: unknown };
  const [first] = Array.isArray(clocks) ? (clocks as readonly { realtime?: unknown }[]) : [];
  const seconds = Number(first?.realtime ?? Number.NaN);
  return {
    kernel: typeof kernel === 'string' && kernel !== '' ? kernel : null,
    began: Number.isFinite(seconds) ? seconds * 1000 : null,
  };
}
