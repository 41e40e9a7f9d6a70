import { irqOfVector } from '../../model/references.ts';
import { irq, vector } from '../../model/things/irq.ts';
import type { PathNode } from '../../model/world.ts';
import { Jobs, type JobView } from '../../query/jobs.ts';
import { type PathTarget, resolvePath, sortedChildren } from '../../query/paths.ts';
import { keyValue } from '../../query/view.ts';
import { type OutlineName, outlineOf, sectionOf } from '../presentation/sections.ts';
import { computedFields, keysOf, shownFields } from '../values.ts';
import { explainRow } from './explain.ts';
import { movedNodes } from './moved.ts';
import { OutlineState } from './outline-state.ts';
import {
  inlined,
  type OutlineRow,
  type OutlineSource,
  type RowText,
  ranged,
  rangeOf,
  rootsOf,
  vectorDomainOf,
} from './rows.ts';
import { rowText } from './text.ts';

/** Keys that belong right below the name of an object, before the tables and capabilities in it. */
const FIRST_KEYS = new Set(['command']);

/**
 * The rows of one outline of a session. A row is made when it is first requested, and stays the same. After a movement
 * of the cursor the outline tells which of its rows look different.
 */
export class Outline {
  readonly name: OutlineName;
  readonly #source: OutlineSource;
  readonly #rows = new Map<string, OutlineRow>();
  readonly #byNode = new Map<PathNode, OutlineRow[]>();
  readonly #sorted = new Map<PathNode, PathNode[]>();
  readonly #jobs: Jobs;
  /** What the rows of jobs showed when they were last asked. */
  readonly #jobTexts = new Map<OutlineRow, string>();
  /** How many rows of jobs the irqs had when they were last asked for what is below them. */
  readonly #jobCounts = new Map<OutlineRow, number>();
  #current: OutlineState;
  /** What the rows showed when `moved` was last asked. */
  #shown: OutlineState;

  constructor(name: OutlineName, source: OutlineSource) {
    this.name = name;
    this.#source = source;
    this.#jobs = new Jobs(source.trace);
    this.#current = new OutlineState(source);
    this.#shown = this.#current;
  }

  /** The rows below a row, or the topmost ones. */
  children(row?: OutlineRow): OutlineRow[] {
    if (row === undefined) return this.#roots();
    switch (row.kind) {
      case 'field':
      case 'job':
        return [];
      case 'key':
        return this.#fields(row);
      case 'range':
        return this.#children(row.node)
          .filter((child) => rangeOf(child) === row.from)
          .map((child) => this.#nodeRow(row, child))
          .filter((r) => this.shown(r));
      case 'node':
        return this.#below(row);
    }
  }

  /** The row of an object path, whether it is shown right now or not; undefined when this outline has none for it. */
  row(path: string): OutlineRow | undefined {
    const target = resolvePath(this.#source.trace.world, path);
    if (!target || outlineOf(target.node.path) !== this.name) return undefined;
    const row = this.#rowOf(target.node);
    if (!row || target.key === undefined) return row;
    const key = this.#keyRow(row, target.key);
    return target.field === undefined ? key : this.#fieldRow(key, target.field);
  }

  /** What a row stands for, to ask other questions about; undefined for ranges. */
  target(row: OutlineRow): PathTarget | undefined {
    const { node, key, field } = row;
    if (row.kind === 'range') return undefined;
    const type = this.#source.trace.world.type(node.object);
    const cell = key === undefined ? undefined : type?.cells.find((c) => c.name === key);
    return {
      node,
      object: node.object,
      type,
      ...(key === undefined ? {} : { key }),
      ...(cell === undefined ? {} : { cell }),
      ...(field === undefined ? {} : { field }),
    };
  }

  /** Markdown that explains a row: what it means, how it may be accessed, what this step did to it, where it is specified. */
  explain(row: OutlineRow): string {
    return explainRow(this.#now(), row, this.text(row));
  }

  /** A row that was given out, by its id. */
  known(id: string): OutlineRow | undefined {
    return this.#rows.get(id);
  }

  /** What a row shows now. */
  text(row: OutlineRow): RowText {
    const jobs = row.kind === 'job' ? this.#jobsOf(row.node) : [];
    const text = rowText(this.#now(), row, this.#count(row), jobs);
    if (row.kind === 'job') this.#jobTexts.set(row, text.spoken);
    return text;
  }

  #jobsOf(node: PathNode): readonly JobView[] {
    const { world } = this.#source.trace;
    if (world.type(node.object) !== irq) return [];
    return this.#jobs.at(node.object, this.#source.state, this.#source.cursor) ?? [];
  }

  /** The rows above jobs that look different now: their events need not change any state. */
  #jobsMoved(): Set<OutlineRow> {
    const out = new Set<OutlineRow>();
    for (const [row, shown] of [...this.#jobTexts]) if (this.text(row).spoken !== shown) out.add(row.parent!);
    for (const [row, count] of this.#jobCounts) if (this.#jobsOf(row.node).length !== count) out.add(row);
    return out;
  }

  /** Whether a row is there at the cursor. */
  shown(row: OutlineRow): boolean {
    return this.#shows(this.#now(), row);
  }

  /** The rows that may look different since the last call: each with all that is below it; undefined means all rows. */
  moved(): OutlineRow[] | undefined {
    const old = this.#shown;
    const now = this.#now();
    this.#shown = now;
    if (old === now) return [];
    if (old.onlyChanged || now.onlyChanged) return undefined;
    const nodes = movedNodes(old, now);
    if (nodes === undefined) return undefined;
    const out = this.#jobsMoved();
    for (const node of nodes) {
      if (!this.#holds(node)) continue;
      for (const row of this.#byNode.get(node) ?? []) if (row.kind === 'node') out.add(row);
      let row = this.#rowOf(node);
      if (!row || this.#shows(old, row) === this.#shows(now, row)) continue;
      while (row && this.#shows(old, row) !== this.#shows(now, row)) row = row.parent;
      if (!row) return undefined;
      out.add(row);
    }
    return [...out].filter((row) => this.#rows.has(row.id));
  }

  /** The rows that carry a mark: of every changed object, and of those of its keys and fields that were given out. */
  marked(): OutlineRow[] {
    const now = this.#now();
    const out: OutlineRow[] = [];
    for (const { object, keys } of now.changes) {
      const node = now.state.world.node(object)!;
      if (!this.#holds(node)) continue;
      const own = this.#rowOf(node);
      const rows = new Set(this.#byNode.get(node) ?? []);
      if (own) rows.add(own);
      for (const row of rows) {
        out.push(row);
        for (const { key } of keys) {
          const keyRow = this.#rows.get(`${row.id}/${key}`);
          if (keyRow?.kind !== 'key') continue;
          out.push(keyRow, ...this.#fields(keyRow).filter((r) => now.fieldMark(node, key, r.field!) !== undefined));
        }
      }
    }
    return out;
  }

  #holds(node: PathNode): boolean {
    return outlineOf(node.path) === this.name || this.#byNode.has(node);
  }

  #now(): OutlineState {
    if (!this.#current.isOf(this.#source)) this.#current = new OutlineState(this.#source);
    return this.#current;
  }

  #roots(): OutlineRow[] {
    const { world } = this.#source.trace;
    return rootsOf(world, this.name).flatMap((node) => {
      if (!sectionOf(node.path)?.grouped) return this.#entries(undefined, node);
      const row = this.#rowOf(node);
      return row && row.parent === undefined && this.shown(row) ? [row] : [];
    });
  }

  /** The rows of the children of a node below a row, those that are there; long tables in ranges. */
  #entries(parent: OutlineRow | undefined, node: PathNode): OutlineRow[] {
    return this.#children(node)
      .map((child) => this.#nodeRow(parent, child))
      .filter((row) => this.shown(row));
  }

  #list(parent: OutlineRow, node: PathNode): OutlineRow[] {
    if (!ranged(node)) return this.#entries(parent, node);
    const ranges = new Map<number, OutlineRow>();
    for (const child of this.#children(node)) {
      const from = rangeOf(child);
      if (!ranges.has(from) && this.#now().shows(child)) ranges.set(from, this.#rangeRow(parent, node, from));
    }
    return [...ranges.values()];
  }

  #below(row: OutlineRow): OutlineRow[] {
    const { node } = row;
    const now = this.#now();
    const state = now.stateFor(node);
    const keys = now.presents(node)
      ? keysOf(state, node.object)
          .filter((key) => !now.onlyChanged || now.keyMark(node, key) !== undefined)
          .map((key) => this.#keyRow(row, key))
      : [];
    const nodes: OutlineRow[] = [];
    if (node.object >= 0 && state.world.type(node.object) === vector) nodes.push(...this.#irqLink(row));
    const below = row.parent === undefined && node === vectorDomainOf(node) ? node.space.find('irq') : undefined;
    if (below) nodes.push(this.#nodeRow(row, below));
    if (ranged(node)) nodes.push(...this.#list(row, node));
    else {
      for (const child of this.#children(node)) {
        if (inlined(child)) nodes.push(...this.#list(row, child));
        else nodes.push(this.#nodeRow(row, child));
      }
    }
    const first = keys.filter((r) => FIRST_KEYS.has(r.key!));
    const shown = nodes.filter((r) => r.kind !== 'node' || this.shown(r));
    // The tables and capabilities of a function come first; for all other objects the keys come first.
    if (first.length > 0) return [...first, ...shown, ...keys.filter((r) => !first.includes(r))];
    return [...this.#jobRows(row), ...keys, ...shown];
  }

  /** The irq that a vector of a CPU is assigned to. */
  #irqLink(row: OutlineRow): OutlineRow[] {
    const node = this.#source.trace.world.node(irqOfVector(this.#now().stateFor(row.node), row.node.object));
    return node ? [this.#nodeRow(row, node)] : [];
  }

  #fields(row: OutlineRow): OutlineRow[] {
    const now = this.#now();
    const { node, key } = row;
    const state = now.stateFor(node);
    const fields = shownFields(state, node.object, key!).map((f) => f.name);
    const names = fields.length > 0 ? fields : Object.keys(computedFields(keyValue(state, node.object, key!)) ?? {});
    return names
      .filter((name) => !now.onlyChanged || now.fieldMark(node, key!, name) !== undefined)
      .map((name) => this.#fieldRow(row, name));
  }

  /** The row of a node in the place where it belongs. */
  #rowOf(node: PathNode): OutlineRow | undefined {
    const { world } = this.#source.trace;
    const parent = node.parent;
    if (parent === undefined) return undefined;
    if (parent === world.root) {
      if (outlineOf(node.path) !== this.name || !sectionOf(node.path)?.grouped) return undefined;
      const domain = node === node.space.find('irq') ? vectorDomainOf(node) : undefined;
      return this.#nodeRow(domain && this.#rowOf(domain), node);
    }
    const section = parent.parent === world.root ? sectionOf(parent.path) : undefined;
    if (section?.outline?.[0] === this.name && !section.grouped) return this.#nodeRow(undefined, node);
    if (inlined(node)) return this.#rowOf(parent);
    const above = this.#rowOf(parent);
    if (!above) return undefined;
    return this.#nodeRow(ranged(parent) ? this.#rangeRow(above, parent, rangeOf(node)) : above, node);
  }

  #shows(now: OutlineState, row: OutlineRow): boolean {
    if (row.kind === 'range') return this.#children(row.node).some((c) => rangeOf(c) === row.from && now.shows(c));
    if (now.shows(row.node)) return true;
    // The irqs are shown below the vector domain, without being part of it.
    const irqs = row.node === vectorDomainOf(row.node) ? row.node.space.find('irq') : undefined;
    return irqs !== undefined && now.shows(irqs);
  }

  /** How many entries a group has. */
  #count(row: OutlineRow): number {
    if (row.kind !== 'node' || row.node.object >= 0) return 0;
    let count = 0;
    for (const child of row.node.children.values()) if (this.#now().shows(child)) count++;
    return count;
  }

  #children(node: PathNode): PathNode[] {
    const known = this.#sorted.get(node);
    if (known?.length === node.children.size) return known;
    const sorted = sortedChildren(node);
    this.#sorted.set(node, sorted);
    return sorted;
  }

  #nodeRow(parent: OutlineRow | undefined, node: PathNode): OutlineRow {
    return this.#add({ id: idBelow(parent, node), kind: 'node', parent, node, path: node.path });
  }

  #rangeRow(parent: OutlineRow, node: PathNode, from: number): OutlineRow {
    const above = node === parent.node ? parent.id : idBelow(parent, node);
    return this.#add({ id: `${above}/#${from}`, kind: 'range', parent, node, from, path: node.path });
  }

  /** The four jobs of an irq, with who does them. */
  #jobRows(parent: OutlineRow): OutlineRow[] {
    const { node } = parent;
    const jobs = this.#jobsOf(node);
    if (this.#source.trace.world.type(node.object) === irq) this.#jobCounts.set(parent, jobs.length);
    return jobs
      .filter(({ working }) => !this.#source.onlyChanged || working !== undefined)
      .map(({ job }) => this.#add({ id: `${parent.id}/#${job}`, kind: 'job', parent, node, job, path: node.path }));
  }

  #keyRow(parent: OutlineRow, key: string): OutlineRow {
    const path = `${parent.node.path}/${key}`;
    return this.#add({ id: `${parent.id}/${key}`, kind: 'key', parent, node: parent.node, key, path });
  }

  #fieldRow(parent: OutlineRow, field: string): OutlineRow {
    const { node, key } = parent;
    const path = `${node.path}/${key}.${field}`;
    return this.#add({ id: `${parent.id}/${field}`, kind: 'field', parent, node, key: key!, field, path });
  }

  #add(row: OutlineRow): OutlineRow {
    const known = this.#rows.get(row.id);
    if (known) return known;
    this.#rows.set(row.id, row);
    if (row.kind !== 'node') return row;
    const rows = this.#byNode.get(row.node);
    if (rows) rows.push(row);
    else this.#byNode.set(row.node, [row]);
    return row;
  }
}

/** The id of a node's row: below the row of a node above it what leads there, elsewhere its whole path. */
function idBelow(parent: OutlineRow | undefined, node: PathNode): string {
  if (parent === undefined) return node.path;
  const above = `${parent.node.path}/`;
  return node.path.startsWith(above) ? `${parent.id}/${node.path.slice(above.length)}` : `${parent.id}/@${node.path}`;
}
