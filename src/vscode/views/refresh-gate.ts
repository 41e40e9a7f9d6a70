import * as vscode from 'vscode';

/** How long the editor must not have asked for rows before the next refresh is passed on. */
const QUIET_MS = 100;
/** The same while it has not asked yet for what is below a row that it shows expanded. A user may have collapsed that row: then it never asks. */
const EXPECTED_MS = 2000;
/** The editor carries a refresh out at once if the one before is at least 200 ms ago; otherwise it waits, and waits again with each further one. */
const APART_MS = 220;
/** The editor asks this long after a refresh of some rows at the latest, if it shows any of them: it delays refreshes by 200 ms. */
const DELAY_MS = 450;
/** How long a refresh waits at most. */
const LONGEST_MS = 4000;
/** How long a caller waits at most for the editor to get the rows of a refresh. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 20;
/** An editor that asks later than that after a refresh asks for another reason: a user has expanded a row. */
const SLOWEST_MS = 2000;

/**
 * Passes the refreshes of a tree on to the editor. After a refresh the editor asks for the rows level by level. Another refresh in
 * between would make it forget rows whose children it is about to ask for. So a refresh waits until the editor asks no more,
 * and refreshes that wait become one.
 */
export class RefreshGate<T extends object> implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<T[] | undefined>();
  /** Rows that a waiting refresh is about; `all`: the whole tree. */
  #waiting: Set<T> | 'all' | undefined;
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = Number.NEGATIVE_INFINITY;
  #fired = Number.NEGATIVE_INFINITY;
  /** Rows for whose children the editor has asked: it expands them again after a refresh, whatever their items say. */
  readonly #open = new WeakSet<T>();
  /** Rows that the editor got and will expand since the last refresh, and for whose children it has not asked. */
  readonly #expected = new Set<T>();
  /** Rows that the editor got as expanded ones and did not ask about: it shows them collapsed. */
  #silent = new WeakSet<T>();
  /** Rows that the editor looks for and shows at the moment. */
  #shown = 0;
  /** The last refresh was one of the whole tree. */
  #whole = false;
  /** How long the editor took to ask after the last refresh: a busy one takes as long for each further level. */
  #answer = 0;

  readonly onDidChange: vscode.Event<T[] | undefined> = this.#changed.event;

  /** The provider that the editor gets: the same rows, and the gate learns when the editor asks for them. */
  provider(rows: vscode.TreeDataProvider<T>): vscode.TreeDataProvider<T> {
    const { resolveTreeItem } = rows;
    return {
      onDidChangeTreeData: this.#changed.event,
      getChildren: (row) => {
        const now = Date.now();
        if (this.#asked < this.#fired && now - this.#fired < SLOWEST_MS) this.#answer = now - this.#fired;
        this.#asked = now;
        if (row !== undefined) {
          this.#expected.delete(row);
          this.#silent.delete(row);
          this.#open.add(row);
        }
        return rows.getChildren(row);
      },
      getTreeItem: (row) => {
        const item = rows.getTreeItem(row) as vscode.TreeItem;
        const { Expanded, Collapsed } = vscode.TreeItemCollapsibleState;
        const { collapsibleState: state } = item;
        const expanded = state === Expanded || (state === Collapsed && this.#open.has(row));
        if (expanded && !this.#silent.has(row)) this.#expected.add(row);
        return item;
      },
      getParent: (row) => rows.getParent?.(row),
      ...(resolveTreeItem ? { resolveTreeItem: resolveTreeItem.bind(rows) } : {}),
    };
  }

  /** Refreshes rows, or the whole tree. */
  refresh(rows: readonly T[] | undefined): void {
    if (this.#waiting === undefined) this.#since = Date.now();
    if (rows === undefined || this.#waiting === 'all') this.#waiting = 'all';
    else this.#waiting = new Set([...(this.#waiting ?? []), ...rows]);
    if (this.#timer === undefined) this.#pass();
  }

  /**
   * Waits until the editor has shown a row. It expands the rows above it one by one and asks for the children of each,
   * so refreshes wait until it is there.
   */
  async showing(reveal: () => PromiseLike<unknown>): Promise<void> {
    this.#shown++;
    try {
      await reveal();
    } finally {
      this.#shown--;
    }
  }

  /** Resolves to true when the editor has got the rows of the last refresh, or does not ask for them; to false when that takes too long. */
  async served(): Promise<boolean> {
    const end = Date.now() + PATIENCE_MS;
    const busy = (): boolean => {
      const now = Date.now();
      // Of a whole tree that is visible the editor always asks for the topmost rows.
      const asks = this.#whole || this.#expected.size > 0 || now - this.#fired < DELAY_MS;
      const expected = this.#asked < this.#fired && asks;
      return this.#waiting !== undefined || expected || !this.#quiet;
    };
    while (busy()) {
      if (Date.now() >= end) return false;
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
    return true;
  }

  /** Whether the editor seems to have all that it asks for. */
  get #quiet(): boolean {
    if (this.#whole && this.#asked < this.#fired) return false;
    const usual = this.#expected.size > 0 ? EXPECTED_MS : QUIET_MS;
    return Date.now() - this.#asked >= Math.max(usual, 2 * this.#answer);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#changed.dispose();
  }

  #pass(): void {
    const now = Date.now();
    const early = now - this.#fired < APART_MS;
    const busy = this.#shown > 0 || !this.#quiet;
    if (early || (busy && now - this.#since < LONGEST_MS + 2 * this.#answer)) {
      this.#timer = setTimeout(() => this.#pass(), LOOK_MS);
      return;
    }
    this.#timer = undefined;
    const rows = this.#waiting;
    this.#waiting = undefined;
    this.#fired = now;
    this.#whole = rows === 'all';
    if (!busy)
      for (const row of this.#expected) {
        this.#silent.add(row);
        this.#open.delete(row);
      }
    this.#expected.clear();
    this.#changed.fire(rows === 'all' || rows === undefined ? undefined : [...rows]);
  }
}
