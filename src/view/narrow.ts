import { systemOfPath, withoutSystem } from '../model/namespace.ts';
import { vfioIndexes } from '../model/vfio-index.ts';
import type { World } from '../model/world.ts';

// Names for rows of a narrow view, which cuts off their ends: what tells rows apart stands first, as lspci writes it.

/** The domains that were found for worlds, with how many functions these had then: worlds only grow. */
const known = new WeakMap<World, { readonly functions: number; readonly domain: string }>();

/** The PCI domain that all functions of a trace share, with its colon (`0000:`); the empty text where they share none. */
export function sharedDomain(world: World): string {
  const lists = [...world.root.children.values()].filter(({ path }) => withoutSystem(path) === 'device');
  const functions = lists.reduce((sum, { children }) => sum + children.size, 0);
  const before = known.get(world);
  if (before?.functions === functions) return before.domain;
  // What is no function (a device of another bus) has no domain.
  const domains = new Set(lists.flatMap(({ children }) => [...children.keys()].map(domainOf)).filter(Boolean));
  const [only = ''] = domains;
  const domain = domains.size === 1 ? only : '';
  known.set(world, { functions, domain });
  return domain;
}

const domainOf = (segment: string): string =>
  /^[0-9a-f]{4,8}:(?=[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$)/.exec(segment)?.[0] ?? '';

/** A function without the domain that all share: `00:03.0`. */
export const narrowFunction = (bdf: string, domain: string): string =>
  domain !== '' && bdf.startsWith(domain) ? bdf.slice(domain.length) : bdf;

/** An object: `00:03.0 #2` for entry 2 of an MSI-X table, `00:03.0` for a function, `irq 41`; the system stands last. */
export function narrowName(path: string, domain: string): string {
  const system = systemOfPath(path);
  const [first = '', ...rest] = withoutSystem(path).split('/');
  const entry = /^(?:device|table|vfio)$/.test(first) ? rest : undefined;
  const name = entry
    ? [narrowFunction(entry[0] ?? '', domain), numbered(first, entry.slice(1)).join(' ')].filter(Boolean).join(' ')
    : [first, ...rest].join(' ');
  return system === '' ? name : `${name} (${system})`;
}

/** The same where rows stand deep in a tree: the entry before its function, `#2 of 00:03.0`. */
export const deepName = (path: string, domain: string): string =>
  narrowName(path, domain).replace(/^(\S+) (#\d+)/, '$2 of $1');

/** What follows the function: `#2` for an entry of the MSI-X table, which is the usual kind; the words of the path for others. */
function numbered(first: string, rest: readonly string[]): readonly string[] {
  if (first !== 'vfio') return rest[0] === 'msix' && rest.length === 2 ? [`#${rest[1]}`] : rest;
  const [index = '', vector] = rest;
  return [...(vector === undefined ? [] : [`#${vector}`]), 'VFIO', vfioIndexes[Number(index)]?.name ?? index].filter(
    Boolean,
  );
}
