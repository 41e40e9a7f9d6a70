import { finishPart } from './finish.ts';
import { optionsPart } from './options.ts';
import { recordPart } from './record.ts';
import { snapshotPart } from './snapshot.ts';

/** The name under which the capture script is saved, if the user gives no other one. */
export const KIT_FILE = 'irqscope-kit.sh';

/** The capture script: one POSIX shell script that needs nothing else on the target machine. `version` is that of IRQScope. */
export function captureScript(version: string): string {
  // A version is digits, dots, letters; nothing else may get between the quotes of a script.
  const plain = version.replaceAll(/[^\w.+-]/g, '');
  return optionsPart(plain) + recordPart() + snapshotPart() + finishPart();
}
