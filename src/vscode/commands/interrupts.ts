import { type FileArgument, subjectOf } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import type { InterruptsView } from '../views/interrupts-view.ts';
import { type Handlers, say } from './handlers.ts';

/** What the commands of the view Interrupts use. */
export interface InterruptServices {
  readonly sessions: Sessions;
  readonly interrupts: InterruptsView;
  readonly showTimeline: () => Promise<void>;
}

/** Commands of the view Interrupts. Those about an interrupt take a row, or the path of any of its objects. */
export function interruptCommands(
  { sessions, interrupts, showTimeline }: InterruptServices,
  find: (file: FileArgument | undefined) => OpenTrace | undefined,
): Handlers {
  const about = (object: unknown, file: unknown): Exclude<ReturnType<typeof subjectOf>, string> | undefined => {
    // Menus pass the selected rows behind the row that they were called for.
    const subject = subjectOf(sessions, Array.isArray(file) ? find(undefined) : find(file as FileArgument), object);
    if (typeof subject !== 'string') return subject;
    say(subject);
    return undefined;
  };
  return {
    toggleNeverUsed: () => interrupts.toggleNeverUsed(),
    goToLastEvent: (object?: unknown, file?: unknown): number | undefined => {
      const subject = about(object, file);
      if (!subject) return undefined;
      const { trace, path } = subject;
      sessions.activate(trace);
      const step = interrupts.lastEvent(path);
      if (step < 0) return void say(`up to here no event is about the interrupt of ${path}`);
      const moved = trace.session.move({ to: 'step', step });
      return typeof moved === 'number' ? moved : undefined;
    },
    showLanes: async (object?: unknown, file?: unknown): Promise<void> => {
      const subject = about(object, file);
      if (!subject) return;
      sessions.activate(subject.trace);
      subject.trace.session.select(subject.path);
      await showTimeline();
    },
  };
}
