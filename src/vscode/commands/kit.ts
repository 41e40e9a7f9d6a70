import * as vscode from 'vscode';
import { writeWhole } from '../safe-write.ts';
import { toUri } from '../selected.ts';
import { type Handlers, say } from './handlers.ts';
import { complain } from './sim-services.ts';

/** What the command uses. */
export interface KitServices {
  readonly log: vscode.LogOutputChannel;
  readonly version: string;
}

/** *Save Capture Script…*: the script that records on another machine. */
export function kitCommands({ log, version }: KitServices): Handlers {
  return {
    saveCaptureScript: async (target?: unknown): Promise<vscode.Uri | undefined> => {
      const { captureScript, KIT_FILE } = await import('../../kit/script.ts');
      const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
      const uri =
        toUri(target) ??
        (await vscode.window.showSaveDialog({
          title: 'Save Capture Script',
          saveLabel: 'Save',
          filters: { 'Shell Scripts': ['sh'] },
          ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, KIT_FILE) } : {}),
        }));
      if (!uri) return undefined;
      try {
        await writeWhole(uri, new TextEncoder().encode(captureScript(version)));
        say('run the script as root on the machine to record; it writes a tar file');
        return uri;
      } catch (error) {
        complain(log, `${uri.path} cannot be written`, error);
        return undefined;
      }
    },
  };
}
