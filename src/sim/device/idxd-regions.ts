import type { RegionMap, RegionRegister } from './regions.ts';

/** Where the structures of an IDXD function lie in BAR 0. */
export interface IdxdLayout {
  /** The permission table, one entry of 8 bytes for each vector. */
  readonly permissions: number;
  /** Vector table and pending bits. */
  readonly table: number;
  readonly pending: number;
  /** Entries. */
  readonly vectors: number;
  readonly size: number;
  /** Further registers, for layouts that are only thought about. */
  readonly extra: readonly RegionRegister[];
}

const reg = (name: string, offset: number, size: number, latency: 'init' | 'admin'): RegionRegister => ({
  name,
  offset,
  size,
  latency,
});

/** The registers at the start of BAR 0 (drivers/dma/idxd/registers.h): who they are, not what their bits mean. */
const COMMON: readonly RegionRegister[] = [
  reg('VERSION', 0x0, 4, 'init'),
  reg('GENCAP', 0x10, 8, 'init'),
  reg('WQCAP', 0x20, 8, 'init'),
  reg('GRPCAP', 0x30, 8, 'init'),
  reg('ENGCAP', 0x38, 8, 'init'),
  reg('OPCAP', 0x40, 32, 'init'),
  reg('TABLE_OFFSETS', 0x60, 16, 'init'),
  reg('GENCFG', 0x80, 4, 'init'),
  reg('GENCTRL', 0x88, 4, 'init'),
  reg('GENSTATUS', 0x90, 4, 'admin'),
  reg('INTCAUSE', 0x98, 4, 'admin'),
  reg('CMD', 0xa0, 4, 'admin'),
  reg('CMDSTS', 0xa8, 4, 'admin'),
  reg('CMDCAP', 0xb0, 4, 'init'),
  reg('SWERR', 0xc0, 32, 'admin'),
  reg('EVLCFG', 0xe0, 16, 'init'),
  reg('EVLSTATUS', 0xf0, 8, 'admin'),
  reg('GRPCFG', 0x400, 0x100, 'init'),
  reg('WQCFG', 0x500, 0x100, 'init'),
];

/** BAR 0 of an IDXD function. */
export function idxdRegions({ permissions, table, pending, vectors, size, extra }: IdxdLayout): RegionMap {
  const registers: RegionRegister[] = [
    ...COMMON,
    { name: 'MSIX_PERM', offset: permissions, size: 8 * vectors, latency: 'init', kind: 'trapped' },
    { name: 'MSI-X table', offset: table, size: 16 * vectors, latency: 'init', kind: 'vectors' },
    { name: 'MSI-X PBA', offset: pending, size: 8 * Math.ceil(vectors / 64), latency: 'init', kind: 'pending' },
    ...extra,
  ];
  return { size, registers: registers.sort((a, b) => a.offset - b.offset) };
}
