import { commonFolders } from './folders.ts';
import type { Relation } from './relations.ts';

/** What is known of a source before its system is: the words that the user gave, and what its records show. */
export interface Member {
  /** The name that the user gave to its system. */
  readonly named: string | undefined;
  /** From where it was recorded, as far as its format tells. */
  readonly vantage: 'kernel' | 'hardware' | 'hypervisor' | null;
  /** The folder in which it lies; '' where that is not known. */
  readonly folder: string;
  /** Its first and last time on the clock of the trace; undefined where the two clocks are not connected. */
  readonly span: readonly [number, number] | undefined;
  /** It speaks of virtual machines that run on its system: KVM events of a kernel. */
  readonly hosts: boolean;
  /** It is the log of an emulator: the machine that it tells of is emulated. */
  readonly emulated: boolean;
  /** It shows one moment, and has no stamps. */
  readonly snapshot?: boolean;
  /** The machine that it tells of runs in a virtual machine monitor with hardware help, so that another kernel hosts it. */
  readonly hosted: boolean;
}

/** How source `a` stands to source `b`. */
export interface Tie {
  readonly a: number;
  readonly b: number;
  readonly relation: Relation;
  /** Instants that say so. */
  readonly support: number;
}

/**
 * The name of the system of each source; '' for all where there is one system without a name. Names that the user gave hold; what sources
 * show of each other joins the others; what is left goes by what each tells: the log of an emulated machine and the kernel in it are one
 * system, and the kernel that hosts a machine is another one than the machine.
 */
export function systemsOf(members: readonly Member[], ties: readonly Tie[]): string[] {
  const group = new Groups(members.length);
  members.forEach(({ named }, i) => {
    const first = members.findIndex((m) => m.named === named);
    if (named !== undefined && first < i) group.join(first, i);
  });
  const mayJoin = (a: number, b: number): boolean => {
    const [x, y] = [group.of(a), group.of(b)].map((g) =>
      members.find((m, i) => group.of(i) === g && m.named !== undefined),
    );
    return x === undefined || y === undefined || x.named === y.named;
  };
  const strongest = [...ties].sort((x, y) => y.support - x.support);
  for (const { a, b, relation } of strongest) if (relation === 'same' && mayJoin(a, b)) group.join(a, b);
  const hosting = members.some((m) => m.hosts);
  members.forEach((member, i) => {
    // A snapshot that goes with a recording does not tell where the recording belongs.
    const tells = (t: Tie): boolean =>
      (t.a === i || t.b === i) && (member.snapshot === true || (!members[t.a]!.snapshot && !members[t.b]!.snapshot));
    if (ties.some(tells) || member.named !== undefined) return;
    // Nothing shows where it belongs: it goes with the nearest source that its kind allows.
    const guest = (m: Member): boolean => hosting && !m.hosts && m.hosted;
    const allowed = members
      .map((other, j) => ({ other, j }))
      .filter(({ other, j }) => j !== i && guest(other) === guest(member) && mayJoin(i, j))
      .sort(
        (x, y) =>
          Number(x.other.snapshot ?? false) - Number(y.other.snapshot ?? false) ||
          commonFolders(y.other.folder, member.folder) - commonFolders(x.other.folder, member.folder) ||
          x.j - y.j,
      );
    if (allowed[0] !== undefined) group.join(allowed[0].j, i);
  });
  joinRuns(members, hostings(ties), group);
  return namesOf(members, ties, group);
}

/** Machines that ran one after the other on the same host are told of as one: each of its starts is a reset. */
function joinRuns(members: readonly Member[], edges: readonly (readonly [number, number])[], group: Groups): void {
  const spansOf = (g: number): (readonly [number, number] | undefined)[] =>
    members.flatMap(({ span }, i) => (group.of(i) === g ? [span] : []));
  const apart = (a: number, b: number): boolean =>
    spansOf(a).every((x) =>
      spansOf(b).every((y) => x !== undefined && y !== undefined && (x[1] < y[0] || y[1] < x[0])),
    );
  const named = (g: number): boolean => members.some((m, i) => group.of(i) === g && m.named !== undefined);
  const guests = [...new Set(edges.map(([, guest]) => group.of(guest)))];
  for (const a of guests)
    for (const b of guests) {
      const [x, y] = [group.of(a), group.of(b)];
      const hosts = (g: number): number[] =>
        edges.filter(([, guest]) => group.of(guest) === g).map(([host]) => group.of(host));
      if (x !== y && !named(x) && !named(y) && apart(x, y) && hosts(x).some((h) => hosts(y).includes(h)))
        group.join(x, y);
    }
}

/** Who hosts whom, as pairs of sources. */
const hostings = (ties: readonly Tie[]): (readonly [number, number])[] =>
  ties.flatMap(({ a, b, relation }) =>
    relation === 'same' ? [] : [relation === 'hosts' ? ([a, b] as const) : ([b, a] as const)],
  );

/** Names for the groups: those that the user gave, else by who hosts whom. */
function namesOf(members: readonly Member[], ties: readonly Tie[], group: Groups): string[] {
  const groups = [...new Set(members.map((_, i) => group.of(i)))];
  if (groups.length === 1)
    return members.map((_, i) => members.find((m, j) => group.of(j) === group.of(i) && m.named)?.named ?? '');
  const depth = new Map(groups.map((g) => [g, 0]));
  const below = hostings(ties);
  const hosts = groups.filter((g) => members.some((m, i) => group.of(i) === g && m.hosts));
  // Where nothing shows who hosts whom, the only system with events of a hypervisor does.
  const said = below
    .filter(([x, y]) => group.of(x) !== group.of(y))
    .map(([x, y]) => [group.of(x), group.of(y)] as const);
  const edges =
    said.length > 0 || hosts.length !== 1
      ? said
      : groups.filter((g) => g !== hosts[0]).map((g) => [hosts[0]!, g] as const);
  for (let round = 0; round < groups.length; round++)
    for (const [x, y] of edges) depth.set(y, Math.min(groups.length, Math.max(depth.get(y)!, depth.get(x)! + 1)));
  const emulated = groups.some((g) => depth.get(g) === 0 && members.some((m, i) => group.of(i) === g && m.emulated));
  const names = new Map<number, string>();
  const used = new Set<string>();
  const free = (name: string): string => {
    let next = name;
    for (let n = 2; used.has(next); n++) next = /\d$/.test(name) ? `${name}-${n}` : `${name}${n}`;
    used.add(next);
    return next;
  };
  for (const g of groups) {
    const named = members.find((m, i) => group.of(i) === g && m.named !== undefined)?.named;
    if (named !== undefined) names.set(g, free(named));
  }
  for (const g of groups) {
    if (names.has(g)) continue;
    const level = depth.get(g)!;
    const plain = edges.length === 0 ? `system${groups.indexOf(g) + 1}` : level === 0 ? 'host' : 'guest';
    names.set(g, free(emulated && edges.length > 0 ? `l${level + 1}` : plain));
  }
  return members.map((_, i) => names.get(group.of(i))!);
}

/** Which sources belong together. */
class Groups {
  readonly #group: number[];

  constructor(count: number) {
    this.#group = Array.from({ length: count }, (_, i) => i);
  }

  of(i: number): number {
    return this.#group[i]!;
  }

  join(a: number, b: number): void {
    const [to, from] = [Math.min(this.of(a), this.of(b)), Math.max(this.of(a), this.of(b))];
    this.#group.forEach((g, i) => {
      if (g === from) this.#group[i] = to;
    });
  }
}
