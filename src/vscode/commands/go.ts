import * as vscode from 'vscode';
import { sourceOf, timeOf } from '../../query/events.ts';
import type { Move, Refusal } from '../../session/session.ts';
import { type FileArgument, subjectOf } from '../selected.ts';
import type { OpenTrace, Sessions } from '../sessions.ts';
import { type Handlers, say } from './handlers.ts';

/** An input box in which the user types a place in the trace. */
interface Question {
  readonly title: string;
  readonly prompt: string;
  readonly value: (trace: OpenTrace) => string;
  /** The movement that a text asks for, or what is wrong with it. */
  readonly move: (text: string) => Move | string;
}

const wholeNumber = (text: string, what: string): number | string => {
  const digits = text.replaceAll(/[\s,_']/g, '');
  return /^\d+$/.test(digits) ? Number(digits) : `${what} is a whole number`;
};

const questions: Readonly<Record<'goToStep' | 'goToTime' | 'goToLine', Question>> = {
  goToStep: {
    title: 'Go to Step',
    prompt: 'Number of an event, counted from 0',
    value: ({ session }) => String(Math.max(0, session.cursor)),
    move: (text) => {
      const step = wholeNumber(text, 'A step');
      return typeof step === 'string' ? step : { to: 'step', step };
    },
  },
  goToTime: {
    title: 'Go to Time',
    prompt: 'Decimal seconds as the trace prints them; the last event at or before that time',
    value: ({ session: { cursor, trace } }) => (cursor < 0 ? '' : (timeOf(trace, cursor) ?? '')),
    move: (text) => ({ to: 'time', time: text.trim().replace(/:$/, '') }),
  },
  goToLine: {
    title: 'Go to Line',
    prompt:
      'Number of a line, counted from 1; the last event at or before it. Of several files, it is a line of the first',
    value: ({ session: { cursor, trace } }) => {
      const place = cursor < 0 ? undefined : sourceOf(trace, cursor);
      return place?.file === trace.first.file ? String(place.line) : '';
    },
    move: (text) => {
      const line = wholeNumber(text, 'A line');
      return typeof line === 'string' ? line : { to: 'line', line };
    },
  },
};

async function ask(trace: OpenTrace, question: Question): Promise<Move | undefined> {
  const value = question.value(trace);
  const text = await vscode.window.showInputBox({
    title: `${question.title} (${trace.label})`,
    prompt: question.prompt,
    value,
    valueSelection: [0, value.length],
    validateInput: (input) => {
      if (input.trim() === '') return undefined;
      const move = question.move(input);
      const target = typeof move === 'string' ? { refused: move } : trace.session.target(move);
      return typeof target === 'object' ? sentence(target.refused) : undefined;
    },
  });
  if (text === undefined || text.trim() === '') return undefined;
  const move = question.move(text);
  return typeof move === 'string' ? undefined : move;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Commands that move the cursor. Each takes the trace as its last argument and gives the step that it reached. */
export function goCommands(
  sessions: Sessions,
  find: (file: FileArgument | undefined) => OpenTrace | undefined,
): Handlers {
  const go = (trace: OpenTrace | undefined, move: Move): number | undefined => {
    if (!trace) return undefined;
    sessions.activate(trace);
    const result: number | Refusal = trace.session.move(move);
    if (typeof result === 'number') return result;
    say(result.refused);
    return undefined;
  };
  const simple = (move: Move) => (file?: FileArgument) => go(find(file), move);
  const asking =
    (name: keyof typeof questions, toMove: (value: string) => Move | string) =>
    async (value?: unknown, file?: FileArgument): Promise<number | undefined> => {
      const trace = find(file);
      if (!trace) return undefined;
      const given = typeof value === 'number' || typeof value === 'string' ? toMove(String(value)) : undefined;
      if (typeof given === 'string') say(given);
      const move = typeof given === 'object' ? given : await ask(trace, questions[name]);
      return move && go(trace, move);
    };
  const eventOf = (to: 'nextOf' | 'previousOf') => (object?: unknown, file?: FileArgument) => {
    const subject = subjectOf(sessions, find(file), object);
    if (typeof subject === 'string') return void say(subject);
    return go(subject.trace, { to, path: subject.target.node.path });
  };
  return {
    step: simple({ to: 'next' }),
    stepBack: simple({ to: 'previous' }),
    firstEvent: simple({ to: 'first' }),
    lastEvent: simple({ to: 'last' }),
    goToStep: asking('goToStep', questions.goToStep.move),
    goToTime: asking('goToTime', questions.goToTime.move),
    goToLine: asking('goToLine', questions.goToLine.move),
    nextEventOfObject: eventOf('nextOf'),
    previousEventOfObject: eventOf('previousOf'),
  };
}
