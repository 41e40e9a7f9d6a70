import type { CompletionMessage, SearchMessage, Typed } from '../../src/protocol/query.ts';
import { LONGEST_FILTER } from '../../src/protocol/query.ts';
import { completed, readsAsFilter } from '../../src/view/query-text.ts';
import { make, setText, settled } from '../dom.ts';
import { Newest } from './newest.ts';

/** What a box for filters does. */
export interface BoxActions {
  /** What is wrong with a text, and how it can go on at a column. */
  ask(text: string, column: number): Promise<Typed>;
  /** The user typed other words: a text that is no filter. */
  words?(text: string): void;
  /** Looks for the events that fit a filter; the empty text ends that. */
  look(filter: string): void;
  hit(to: 'next' | 'previous'): void;
  /** Stops a search that is under way; says whether one was. */
  stop(): boolean;
  problem(error: unknown): void;
}

/** Milliseconds after the last key before events are looked for. */
const PAUSE_MS = 250;
/** So long after the last key the user still types, in milliseconds. */
const TYPING_MS = 3000;

let boxes = 0;

/** Whether the word in front of the caret is the one that is wrong, and a completion goes on with it: then it is only not whole yet. */
const isBegun = (text: string, problem: Typed['problem'], whole: string, from: number, column: number): boolean =>
  problem?.at === from && column > from && whole.toLowerCase().startsWith(text.slice(from, column).toLowerCase());

/**
 * The box for words and filters: what is wrong with the text, and how it can go on, stand below it. It is a plain input element: its list
 * is named by ids, which do not reach into the elements of the toolkit.
 */
export class QueryBox {
  readonly element: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #below: HTMLElement;
  readonly #problem: HTMLElement;
  readonly #list: HTMLElement;
  readonly #id = `query-${++boxes}`;
  /** What the empty box says. */
  readonly #name: string;
  readonly #actions: BoxActions;
  readonly #questions: Newest<{ text: string; column: number; wanted: boolean }, Typed>;
  readonly #lookLater = settled(PAUSE_MS, () => this.#look());
  #options: readonly CompletionMessage[] = [];
  /** The option that the arrow keys lead to, -1 for none. */
  #active = -1;
  /** The text that the host said to be a whole filter. */
  #whole: string | undefined;
  /** The filter that was looked for last, here or elsewhere. */
  #looked = '';
  /** When text was typed last. */
  #typedAt = Number.NEGATIVE_INFINITY;
  /** The same, where it stands in this box or stood in it last; empty where it came from elsewhere and words stand here. */
  #held = '';

  constructor(name: string, actions: BoxActions) {
    this.#name = name;
    this.#actions = actions;
    const list = `${this.#id}-list`;
    const problem = `${this.#id}-problem`;
    this.#input = make('input', '', {
      ...{ type: 'text', role: 'combobox', placeholder: name, title: name, 'aria-label': name, autocomplete: 'off' },
      ...{ spellcheck: 'false', maxlength: String(LONGEST_FILTER), 'aria-autocomplete': 'list' },
      ...{ 'aria-controls': list, 'aria-expanded': 'false', 'aria-describedby': problem },
    });
    this.#problem = make('div', 'query-problem', { id: problem, role: 'status' });
    this.#list = make('div', 'query-list', { id: list, role: 'listbox', 'aria-label': 'Ways to go on' });
    this.#below = make('div', 'query-below', {}, this.#problem, this.#list);
    this.element = make('div', 'query', {}, this.#input, this.#below);
    this.#questions = new Newest(
      ({ text, column }) => actions.ask(text, column),
      (typed, { text, wanted }) => this.#answered(typed, text, wanted),
      (error) => actions.problem(error),
    );
    this.#say('', false);
    this.#show([]);
    this.#input.addEventListener('input', () => {
      this.#typedAt = performance.now();
      this.#typed(false);
    });
    this.#input.addEventListener('keydown', (event) => this.#onKey(event));
    this.#input.addEventListener('blur', () => this.#hide());
    this.#input.addEventListener('focus', () => {
      if (this.#isFilter) this.#ask(false);
    });
    // The box keeps the focus while an option is clicked.
    this.#below.addEventListener('pointerdown', (event) => event.preventDefault());
    this.#list.addEventListener('click', (event) => {
      const option = (event.target as Element).closest<HTMLElement>('[role=option]');
      if (option) this.#accept([...this.#list.children].indexOf(option));
    });
  }

  get value(): string {
    return this.#input.value;
  }

  set value(text: string) {
    if (this.#input.value === text) return;
    this.#input.value = text;
    this.#input.title = text || this.#name;
    this.#say('', false);
  }

  /** The words in the box; empty when a filter stands there. */
  get words(): string {
    return this.#isFilter ? '' : this.value;
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  /** Another search is under way, or none, wherever it began: the box shows its filter, unless words stand in it or the user types in it. */
  show({ filter }: SearchMessage): void {
    if (filter === this.#looked) return;
    this.#looked = filter;
    if (this.#isTyping || (this.value !== '' && !this.#isFilter)) {
      this.#held = '';
      return;
    }
    this.#held = filter;
    this.value = filter;
  }

  /** The user types in the box. A busy editor may say for a moment that the page has no focus, while keys still come. */
  get #isTyping(): boolean {
    const { ownerDocument } = this.element;
    if (ownerDocument.activeElement !== this.#input) return false;
    return ownerDocument.hasFocus() || performance.now() - this.#typedAt < TYPING_MS;
  }

  /** Ends the search, wherever it began, and takes its filter out of the box; words stay. */
  clear(): void {
    if (this.#isFilter) this.value = '';
    this.#whole = undefined;
    this.#lookFor('');
  }

  get #isFilter(): boolean {
    return this.value.trim() !== '' && (this.#actions.words === undefined || readsAsFilter(this.value));
  }

  #typed(wanted: boolean): void {
    this.#input.title = this.value || this.#name;
    this.#whole = undefined;
    this.#actions.words?.(this.words);
    if (this.#isFilter || wanted) {
      this.#ask(wanted);
      return;
    }
    this.#questions.forget();
    this.#hide();
    this.#say('', false);
    if (this.#held !== '') this.#lookFor('');
  }

  #ask(wanted: boolean): void {
    this.#questions.want({ text: this.value, column: this.#input.selectionStart ?? this.value.length, wanted });
  }

  #answered({ problem, completions }: Typed, text: string, wanted: boolean): void {
    if (text !== this.value) return;
    const filter = this.#isFilter;
    this.#whole = filter && problem === null ? text.trim() : undefined;
    const column = this.#input.selectionStart ?? text.length;
    const begun = completions.some(({ text: whole, from }) => isBegun(text, problem, whole, from, column));
    const place = problem === null || problem.missing ? '' : `Column ${problem.at + 1}: `;
    this.#say(filter && problem && !begun ? `${place}${problem.message}` : '', problem?.missing === true);
    if (this.element.ownerDocument.activeElement === this.#input) {
      // A whole filter needs nothing more: what could still follow is shown when it is asked for, or begun.
      const more = completions.some(({ from }) => from < column);
      this.#show(wanted || (filter && (problem !== null || more)) ? completions : []);
    }
    if (this.#whole !== undefined && this.#whole !== this.#looked) this.#lookLater();
  }

  /** Says what is wrong with the text. `missing`: only its end is missing. */
  #say(text: string, missing: boolean): void {
    setText(this.#problem, text);
    this.#problem.hidden = text === '';
    this.#problem.classList.toggle('missing', missing);
    this.element.classList.toggle('wrong', text !== '' && !missing);
    if (text === '' || missing) this.#input.removeAttribute('aria-invalid');
    else this.#input.setAttribute('aria-invalid', 'true');
    this.#arrange();
  }

  #show(options: readonly CompletionMessage[]): void {
    this.#options = options;
    this.#active = -1;
    this.#list.replaceChildren(
      ...options.map(({ text, what }, i) =>
        make(
          'div',
          'query-option',
          { id: `${this.#id}-option-${i}`, role: 'option', 'aria-selected': 'false' },
          make('span', 'text', {}, text),
          make('span', 'what', {}, what),
        ),
      ),
    );
    this.#list.hidden = options.length === 0;
    this.#input.setAttribute('aria-expanded', String(options.length > 0));
    this.#input.removeAttribute('aria-activedescendant');
    this.#arrange();
  }

  /** Nothing stands below a box without the focus. */
  #hide(): void {
    this.#show([]);
    this.#below.hidden = true;
  }

  #arrange(): void {
    const focused = this.element.ownerDocument.activeElement === this.#input;
    this.#below.hidden = !focused || (this.#problem.hidden && this.#list.hidden);
  }

  #activate(index: number): void {
    this.#list.children[this.#active]?.setAttribute('aria-selected', 'false');
    this.#active = (index + this.#options.length) % this.#options.length;
    const option = this.#list.children[this.#active]!;
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    this.#input.setAttribute('aria-activedescendant', option.id);
  }

  #accept(index: number): void {
    const option = this.#options[index];
    if (!option) return;
    const { text, caret } = completed(this.value, option);
    this.#input.value = text;
    this.#input.setSelectionRange(caret, caret);
    this.#typed(true);
  }

  #look(): void {
    if (this.#whole !== undefined) this.#lookFor(this.#whole);
  }

  #lookFor(filter: string): void {
    if (filter === this.#looked) return;
    this.#looked = filter;
    this.#held = filter;
    this.#actions.look(filter);
  }

  /** Goes to a hit of the filter in the box. */
  #hit(to: 'next' | 'previous'): void {
    if (!this.#isFilter) return;
    // What was typed a moment ago may not have been answered yet: the host finds out whether it is a filter.
    if (this.#whole === undefined) void this.#askFirst(to);
    else {
      this.#look();
      this.#actions.hit(to);
    }
  }

  async #askFirst(to: 'next' | 'previous'): Promise<void> {
    const text = this.value;
    const typed = await this.#actions.ask(text, text.length).catch((error: unknown) => this.#actions.problem(error));
    if (!typed || text !== this.value) return;
    this.#answered(typed, text, false);
    if (this.#whole !== undefined) this.#hit(to);
  }

  #onKey(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    // Keys that move the caret or write a sign are no commands of the editor here.
    if (((ctrlKey || metaKey) && /^(Home|End)$/.test(key)) || (altKey && key.length === 1)) event.stopPropagation();
    const plain = !ctrlKey && !metaKey && !altKey;
    const open = this.#options.length > 0;
    if (key === ' ' && ctrlKey) this.#ask(true);
    else if (!plain) return;
    else if (key === 'ArrowDown' || key === 'ArrowUp') {
      if (!open) this.#ask(true);
      else if (this.#active < 0) this.#activate(key === 'ArrowDown' ? 0 : -1);
      else this.#activate(this.#active + (key === 'ArrowDown' ? 1 : -1));
    } else if ((key === 'Enter' || key === 'Tab') && open && this.#active >= 0) this.#accept(this.#active);
    else if (key === 'Enter') {
      this.#show([]);
      this.#hit(shiftKey ? 'previous' : 'next');
    } else if (key === 'Escape') {
      if (open) this.#show([]);
      else if (!this.#actions.stop()) {
        if (this.value === '') return;
        this.value = '';
        this.#typed(false);
      }
    } else return;
    event.preventDefault();
    // What is done here is not done by the editor too.
    event.stopPropagation();
  }
}
