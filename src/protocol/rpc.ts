import * as v from 'valibot';
import type { MessageParticipant, MessengerAPI } from 'vscode-messenger-common';

type Schema = v.GenericSchema;

/** A question with its answer, by name. */
export interface Request<P extends Schema, R extends Schema> {
  readonly method: string;
  readonly params: P;
  readonly reply: R;
}

/** Longest path of an object, name of a rule or other name that a page may send. */
export const LONGEST_NAME = 4000;

/** Whether a page may send a name: a trace can hold paths of any length. */
export const isName = (text: string): boolean => text.length <= LONGEST_NAME;

/** A message that gets no answer. */
export interface Notice<P extends Schema> {
  readonly method: string;
  readonly params: P;
}

export const request = <P extends Schema, R extends Schema>(method: string, params: P, reply: R): Request<P, R> => ({
  method,
  params,
  reply,
});

export const notice = <P extends Schema>(method: string, params: P): Notice<P> => ({ method, params });

/** Calls `then` after some milliseconds; the returned function cancels that. */
export type After = (ms: number, then: () => void) => () => void;

export interface PeerOptions {
  readonly after: After;
  /** Milliseconds after which a question without an answer fails. */
  readonly timeout?: number;
  /** Gets the errors of messages that expect no answer. */
  readonly problem: (text: string) => void;
}

const TIMEOUT = 20_000;

/** Thrown when a message does not have the form that both sides agreed on. */
export class MessageError extends Error {}

function checked<S extends Schema>(schema: S, value: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new MessageError(`${what}: ${path === null ? '' : `${path}: `}${issue.message}`);
}

function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
  return String(error);
}

/**
 * One end of the line between host and webview. Every message is checked where it is sent and where it arrives, and
 * every question ends: with its answer, with the error that was thrown at the other end, or with a timeout.
 */
export class Peer {
  readonly #messenger: MessengerAPI;
  readonly #receiver: MessageParticipant;
  readonly #options: PeerOptions;

  constructor(messenger: MessengerAPI, receiver: MessageParticipant, options: PeerOptions) {
    this.#messenger = messenger;
    this.#receiver = receiver;
    this.#options = options;
  }

  /** Asks the other end. */
  async ask<P extends Schema, R extends Schema>(
    { method, params, reply }: Request<P, R>,
    value: v.InferOutput<P>,
  ): Promise<v.InferOutput<R>> {
    const sent = checked(params, value, `${method} (sent)`);
    const timeout = this.#options.timeout ?? TIMEOUT;
    const answer = await new Promise<unknown>((resolve, reject) => {
      const cancel = this.#options.after(timeout, () => reject(new Error(`${method}: no answer in ${timeout} ms`)));
      this.#messenger.sendRequest({ method }, this.#receiver, sent).then(
        (result) => {
          cancel();
          resolve(result);
        },
        (error: unknown) => {
          cancel();
          reject(new Error(messageOf(error)));
        },
      );
    });
    return checked(reply, answer, `${method} (answer)`);
  }

  /** Answers a question of the other end. An error that the handler throws is sent as the answer. */
  answer<P extends Schema, R extends Schema>(
    { method, params, reply }: Request<P, R>,
    handler: (value: v.InferOutput<P>) => v.InferOutput<R> | Promise<v.InferOutput<R>>,
  ): void {
    this.#messenger.onRequest({ method }, async (value: unknown) => {
      const result = await handler(checked(params, value, `${method} (question)`));
      return checked(reply, result, `${method} (reply)`);
    });
  }

  /** Sends the other end a message without an answer. */
  tell<P extends Schema>({ method, params }: Notice<P>, value: v.InferOutput<P>): void {
    this.#messenger.sendNotification({ method }, this.#receiver, checked(params, value, `${method} (sent)`));
  }

  /** Handles messages of the other end that get no answer. */
  hear<P extends Schema>({ method, params }: Notice<P>, handler: (value: v.InferOutput<P>) => void): void {
    this.#messenger.onNotification({ method }, (value: unknown) => {
      try {
        handler(checked(params, value, method));
      } catch (error) {
        this.#options.problem(messageOf(error));
      }
    });
  }
}
