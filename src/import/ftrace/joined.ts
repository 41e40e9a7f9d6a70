/** What a sequence of words leads to: the number of the text, and what further words lead to. */
interface Node {
  text: number;
  readonly next: Map<string | false, Node>;
}

/** Numbers of texts that are made of a few words with `|` between them; each text is made once. */
export class Joined {
  readonly #intern: (text: string) => number;
  readonly #root: Node = { text: -1, next: new Map() };

  constructor(intern: (text: string) => number) {
    this.#intern = intern;
  }

  /** The number of the text; words that are false are left out. The words are some of few. */
  of(words: readonly (string | false)[]): number {
    let node = this.#root;
    for (let i = 0; i < words.length; i++) {
      let next = node.next.get(words[i]!);
      if (next === undefined) node.next.set(words[i]!, (next = { text: -1, next: new Map() }));
      node = next;
    }
    if (node.text < 0) node.text = this.#intern(words.filter((word) => word !== false).join('|'));
    return node.text;
  }
}
