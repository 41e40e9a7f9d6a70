/**
 * Asks one question at a time. Of the questions that come while one is under way, only the newest is asked next.
 */
export class Newest<Q, A> {
  readonly #ask: (question: Q) => Promise<A>;
  readonly #take: (answer: A, question: Q) => void;
  readonly #failed: (error: unknown) => void;
  #next: { readonly question: Q } | undefined;
  #asking = false;

  constructor(
    ask: (question: Q) => Promise<A>,
    take: (answer: A, question: Q) => void,
    failed: (error: unknown) => void,
  ) {
    this.#ask = ask;
    this.#take = take;
    this.#failed = failed;
  }

  want(question: Q): void {
    this.#next = { question };
    if (!this.#asking) void this.#run();
  }

  /** Forgets what was not asked yet. */
  forget(): void {
    this.#next = undefined;
  }

  async #run(): Promise<void> {
    this.#asking = true;
    for (let next = this.#next; next; next = this.#next) {
      this.#next = undefined;
      await this.#ask(next.question)
        .then((answer) => this.#take(answer, next.question))
        .catch(this.#failed);
    }
    this.#asking = false;
  }
}
