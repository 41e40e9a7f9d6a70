import * as vscode from 'vscode';
import { eventText } from '../../query/events.ts';
import { stopText } from '../../session/stop.ts';
import type { Breakpoint, Checkpoint } from '../../session/stops.ts';
import { say } from '../commands/handlers.ts';
import type { OpenTrace } from '../sessions.ts';

const remove: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('trash'), tooltip: 'Remove' };

/** Lists the breakpoints of a trace: the checked ones are on; a button removes one. */
export async function pickBreakpoints({ session: { stops }, label }: OpenTrace): Promise<void> {
  if (stops.breakpoints.length === 0) return say('there is no breakpoint');
  interface Item extends vscode.QuickPickItem {
    readonly breakpoint: Breakpoint;
  }
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = `Breakpoints (${label})`;
  pick.placeholder = 'Those that are checked are on';
  pick.canSelectMany = true;
  const show = (): void => {
    pick.items = stops.breakpoints.map((breakpoint) => ({
      label: stopText(breakpoint.stop),
      breakpoint,
      buttons: [remove],
    }));
    pick.selectedItems = pick.items.filter(({ breakpoint }) => breakpoint.enabled);
  };
  show();
  pick.onDidTriggerItemButton(({ item }) => {
    stops.removeBreakpoint(item.breakpoint.stop);
    show();
    if (pick.items.length === 0) pick.hide();
  });
  await new Promise<void>((done) => {
    pick.onDidAccept(() => {
      const on = new Set(pick.selectedItems);
      for (const item of pick.items) stops.setBreakpoint(item.breakpoint.stop, on.has(item));
      pick.hide();
    });
    pick.onDidHide(() => done());
    pick.show();
  });
  pick.dispose();
}

/** Asks for a checkpoint of a trace; a button removes one. */
export async function pickCheckpoint({ session, label }: OpenTrace): Promise<Checkpoint | undefined> {
  const { stops, trace } = session;
  if (stops.checkpoints.length === 0) return void say('there is no checkpoint');
  interface Item extends vscode.QuickPickItem {
    readonly checkpoint: Checkpoint;
  }
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = `Go to Checkpoint (${label})`;
  pick.matchOnDetail = true;
  const show = (): void => {
    pick.items = stops.checkpoints.map((checkpoint) => ({
      label: checkpoint.name,
      description: `step ${checkpoint.step}`,
      detail: checkpoint.step < trace.length ? eventText(trace, checkpoint.step) : 'the trace has no such step yet',
      checkpoint,
      buttons: [remove],
    }));
  };
  show();
  pick.onDidTriggerItemButton(({ item }) => {
    stops.removeCheckpoint(item.checkpoint.name);
    show();
    if (pick.items.length === 0) pick.hide();
  });
  const chosen = await new Promise<Checkpoint | undefined>((done) => {
    pick.onDidAccept(() => {
      done(pick.activeItems[0]?.checkpoint);
      pick.hide();
    });
    pick.onDidHide(() => done(undefined));
    pick.show();
  });
  pick.dispose();
  return chosen;
}
