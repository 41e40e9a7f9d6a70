// What every event about interrupt remapping, the ITS, LPIs and SMMUs changes. Layouts: VT-d 9.10 (IRTE), 6.5.2 (invalidation),
// AMD IOMMU 2.2.5 (IRTE), Arm IHI 0069 chapter 5 (ITS commands).
import { story } from '../helpers/story.ts';

/** A present VT-d entry, fixed, edge: vector 0x22, DST 0x100, SID 00:03.0. */
const IRTE = '0x180000010000220001';

describe('effects: VT-d', () => {
  it('a unit is seen, set up and switched on', () => {
    story(`
      ir.seen irte/dmar0 kind=VT-d
      = irte/dmar0/kind "VT-d"
      ir.table irte/dmar0 address=0x100200000 entries=65536
      = irte/dmar0/table "0x100200000"
      = irte/dmar0/entries 65536
      ir.mode irte/dmar0 eim=true
      = irte/dmar0/eim true
      ir.mode irte/dmar0 eim=false
      = irte/dmar0/eim false
      ir.enable irte/dmar0 enable=true
      = irte/dmar0/enabled true
      ir.enable irte/dmar0 enable=false
      = irte/dmar0/enabled false
    `);
  });

  it('a read of the table is what the unit works with; a write in memory makes it stale until it differs no more', () => {
    story(`
      irte.read irte/dmar0/5 value=${IRTE}
      = irte/dmar0/5/value "0x180000010000220001"
      = irte/dmar0/5/vector 34
      = irte/dmar0/5/present true
      = irte/dmar0/5/posted false
      = irte/dmar0/5/stale false
      = irte/dmar0/5/reads 1
      irte.write irte/dmar0/5 value=${IRTE}
      = irte/dmar0/5/table "0x180000010000220001"
      = irte/dmar0/5/stale false
      irte.write irte/dmar0/5 value=0x1000000180000010000220001
      = irte/dmar0/5/stale true
      = irte/dmar0/5/value "0x180000010000220001"
      irte.read irte/dmar0/5 value=${IRTE}
      irte.write irte/dmar0/5 value=0x180000010000230001
      = irte/dmar0/5/stale true
      irte.write irte/dmar0/6 value=0x0
      = irte/dmar0/6/stale true
      = irte/dmar0/6/value null
    `);
  });

  it('the destination that is printed tells how the unit reads DST', () => {
    story(`
      irte.read irte/dmar0/5 value=${IRTE}
      = irte/dmar0/5/dest null
      ir.remap irte/dmar0/5 vector=34 dest=0x1
      = irte/dmar0/5/remaps 1
      = irte/dmar0/5/dest 1
      = irte/dmar0/eim false
      irte.read irte/dmar0/6 value=${IRTE}
      = irte/dmar0/6/dest 1
      ir.remap irte/dmar0/6 vector=34 dest=0x100
      = irte/dmar0/eim true
      = irte/dmar0/6/dest 256
      irte.read irte/dmar0/6 value=${IRTE}
      = irte/dmar0/6/dest 256
      ir.remap irte/dmar0/6 vector=34 dest=0x7
      = irte/dmar0/eim true
    `);
    // Destination 0 reads the same both ways.
    story(`
      irte.read irte/dmar1/5 value=0x220001
      = irte/dmar1/5/dest 0
      ir.remap irte/dmar1/5 vector=34 dest=0x0
      = irte/dmar1/eim null
    `);
  });

  it('messages and faults are counted at the unit, whichever object they name', () => {
    story(`
      irte.read irte/dmar0/5 value=${IRTE}
      ir.request irte/dmar0/5 address=0xfee000b8 data=0x0 sid=0x18
      = irte/dmar0/requests 1
      ir.request irte/dmar0 address=0xfee000b8 data=0x0
      = irte/dmar0/requests 2
      ir.fault irte/dmar0/5 reason=34 sid=0x18 index=5
      = irte/dmar0/faults 1
      ir.fault irte/dmar0 reason=32
      = irte/dmar0/faults 2
      ir.request irte/amdvi-0x18/5 address=0xfee00000 data=0x5
      = irte/amdvi-0x18/requests 1
    `);
  });

  /** The same entry with vector 0x23. */
  const CHANGED = '0x180000010000230001';
  /** Entries that the unit read and that were written since. */
  const written = (...indexes: readonly number[]): string =>
    indexes
      .map((i) => `irte.read irte/dmar0/${i} value=${IRTE}\nirte.write irte/dmar0/${i} value=${CHANGED}`)
      .join('\n');

  it('a written entry is stale until an invalidation covers it; then the unit has what was written', () => {
    story(`${written(4, 5)}
      = irte/dmar0/4/stale true
      = irte/dmar0/4/value "${IRTE}"
      iec.queue irte/dmar0/4 global=false index=4 mask=0
      = irte/dmar0/4/stale true
      = irte/dmar0/invalidations 0
      iec.inv irte/dmar0/4 global=false index=4 mask=0
      = irte/dmar0/4/stale false
      = irte/dmar0/4/value "${CHANGED}"
      = irte/dmar0/5/stale true
      = irte/dmar0/5/value "${IRTE}"
      irte.write irte/dmar0/4 value=${IRTE}
      = irte/dmar0/4/stale false
      = irte/dmar0/4/value "${IRTE}"
      irte.read irte/dmar0/4 value=${IRTE}
      irte.write irte/dmar0/4 value=${CHANGED}
      = irte/dmar0/4/stale true
    `);
    // Where the trace does not show what the unit reads, it may have read the entry again since.
    story(`
      irte.write irte/dmar0/4 value=${IRTE}
      iec.inv irte/dmar0/4 global=false index=4 mask=0
      = irte/dmar0/4/value "${IRTE}"
      = irte/dmar0/4/stale false
      irte.write irte/dmar0/4 value=${CHANGED}
      = irte/dmar0/4/stale true
    `);
  });

  it('an invalidation by index is of the aligned block of 2^mask entries: low bits of the index are ignored', () => {
    story(`${written(0, 3, 4, 7, 8)}
      iec.inv irte/dmar0/4 global=false index=4 mask=2
      = irte/dmar0/3/stale true
      = irte/dmar0/4/stale false
      = irte/dmar0/4/invalidations 1
      = irte/dmar0/7/stale false
      = irte/dmar0/8/stale true
      = irte/dmar0/invalidations 1
    `);
    story(`${written(0, 3, 4, 7, 8)}
      iec.inv irte/dmar0/6 global=false index=6 mask=2
      = irte/dmar0/3/stale true
      = irte/dmar0/4/stale false
      = irte/dmar0/7/stale false
      = irte/dmar0/8/stale true
      iec.inv irte/dmar0 global=true index=0 mask=0
      = irte/dmar0/0/stale false
      = irte/dmar0/8/stale false
      = irte/dmar0/7/invalidations 2
      = irte/dmar0/invalidations 2
    `);
  });

  it('masks of 15 and of more cover half the largest table, and all of it (65536 entries)', () => {
    const stale = (mask: number, ...values: readonly boolean[]): unknown =>
      story(`${written(0, 32767, 32768, 65535)}
        iec.inv irte/dmar0 global=false index=0 mask=${mask}
        = irte/dmar0/0/stale ${values[0]}
        = irte/dmar0/32767/stale ${values[1]}
        = irte/dmar0/32768/stale ${values[2]}
        = irte/dmar0/65535/stale ${values[3]}
      `);
    stale(15, false, false, true, true);
    // Bits 31:27 of the descriptor hold up to 31; a table has no more than 65536 entries.
    for (const mask of [16, 17, 30, 31]) stale(mask, false, false, false, false);
  });
});

describe('effects: AMD-Vi', () => {
  it('32-bit entries leave the upper bits unknown, 128-bit ones do not', () => {
    story(`
      irte.readAmd irte/amdvi-0x18/5 low=0x220101
      = irte/amdvi-0x18/5/ga false
      = irte/amdvi-0x18/5/stale false
      = irte/amdvi-0x18/5/reads 1
      = irte/amdvi-0x18/5/value null
      irte.readAmd irte/amdvi-0x18/5 low=0x300000101 high=0x400000022
      = irte/amdvi-0x18/5/ga true
      = irte/amdvi-0x18/5/value "0x4000000220000000300000101"
      = irte/amdvi-0x18/5/vector 34
      irte.readAmd irte/amdvi-0x18/5 low=0x220101
      = irte/amdvi-0x18/5/value null
      = irte/amdvi-0x18/5/vector 34
      = irte/amdvi-0x18/5/dest 1
      irte.writeAmd irte/amdvi-0x18/5 value=0x220101
      = irte/amdvi-0x18/5/stale false
      = irte/amdvi-0x18/5/table "0x220101"
      irte.writeAmd irte/amdvi-0x18/5 value=0x230101
      = irte/amdvi-0x18/5/stale true
      irte.readAmd irte/amdvi-0x18/5 low=0x230101
      ir.remap irte/amdvi-0x18/5 vector=35 dest=0x1
      = irte/amdvi-0x18/5/remaps 1
      irte.invAmd irte/amdvi-0x18
      = irte/amdvi-0x18/5/stale false
      = irte/amdvi-0x18/5/invalidations 1
      = irte/amdvi-0x18/invalidations 1
    `);
  });
});

describe('effects: ITS', () => {
  it('MAPD gives and takes the table of a device; another table starts empty', () => {
    story(`
      its.mapd its/0/device/0x10 size=4 itt=0x1042f0000 valid=true
      = its/0/device/0x10/valid true
      = its/0/device/0x10/size 4
      = its/0/device/0x10/itt "0x1042f0000"
      = its/0/commands 1
      its.mapti its/0/device/0x10/event/1 lpi=8193 collection=2
      = its/0/device/0x10/event/1/valid true
      = its/0/device/0x10/event/1/lpi 8193
      = its/0/device/0x10/event/1/collection 2
      its.mapd its/0/device/0x10 size=4 itt=0x1042f0000 valid=true
      = its/0/device/0x10/event/1/valid true
      its.mapd its/0/device/0x10 size=4 itt=0x42f0000 valid=true
      = its/0/device/0x10/event/1/valid false
      = its/0/device/0x10/event/1/lpi null
      = its/0/device/0x10/event/1/collection null
      its.mapti its/0/device/0x10/event/1 lpi=8193 collection=2
      its.mapd its/0/device/0x10 size=4 itt=0x42f0100 valid=true
      = its/0/device/0x10/event/1/valid false
      its.mapti its/0/device/0x10/event/1 lpi=8193 collection=2
      its.mapd its/0/device/0x10 size=0 itt=0x0 valid=false
      = its/0/device/0x10/valid false
      = its/0/device/0x10/event/1/valid false
      = its/0/device/0x10/itt "0x42f0100"
      = its/0/errors 0
      its.mapti its/0/device/0x10/event/1 lpi=8193 collection=2
      = its/0/errors 1
      = its/0/device/0x10/event/1/valid false
      = its/0/commands 9
    `);
  });

  it('MAPC, MOVI, DISCARD, INV, INT and other commands', () => {
    story(`
      its.mapc its/0/collection/2 target=3 valid=true
      = its/0/collection/2/valid true
      = its/0/collection/2/target 3
      its.mapc its/0/collection/2 target=3 valid=false
      = its/0/collection/2/valid false
      = its/0/collection/2/target null
      its.mapti its/0/device/0x10/event/1 lpi=8193 collection=2
      its.movi its/0/device/0x10/event/1 collection=4
      = its/0/device/0x10/event/1/collection 4
      its.inv its/0/device/0x10/event/1
      = its/0/device/0x10/event/1/invalidations 1
      its.int its/0/device/0x10/event/1 set=true
      its.trans its/0/device/0x10/event/1 device=0x10 event=0x1 size=4
      = its/0/device/0x10/event/1/translations 1
      = its/0/translations 1
      its.trans its/0 device=0x11 event=0x1 size=4
      = its/0/translations 2
      its.discard its/0/device/0x10/event/1
      = its/0/device/0x10/event/1/valid false
      = its/0/device/0x10/event/1/lpi null
      its.movi its/0/device/0x10/event/1 collection=5
      = its/0/device/0x10/event/1/collection null
      = its/0/errors 1
      its.cmd its/0 name=SYNC
      = its/0/commands 9
      its.error its/0/device/0x10/event/1 text=refused
      = its/0/errors 2
      its.doorbell its/0 address=0x108090040
      = its/0/doorbell "0x108090040"
    `);
  });

  it('what the ITS reads or writes in its tables is what holds', () => {
    story(`
      its.dte its/0/device/0x10 write=false valid=true size=4 itt=0x1042f0000
      = its/0/device/0x10/valid true
      = its/0/device/0x10/size 4
      = its/0/device/0x10/itt "0x1042f0000"
      its.ite its/0/device/0x10/event/1 write=true valid=true lpi=8193 collection=2
      = its/0/device/0x10/event/1/valid true
      = its/0/device/0x10/event/1/lpi 8193
      = its/0/device/0x10/event/1/collection 2
      its.ite its/0/device/0x10/event/1 write=true valid=false lpi=8193 collection=2
      = its/0/device/0x10/event/1/valid false
      = its/0/device/0x10/event/1/lpi null
      its.cte its/0/collection/2 write=false valid=true target=3
      = its/0/collection/2/target 3
      = its/0/collection/2/valid true
      its.cte its/0/collection/2 write=false valid=false target=3
      = its/0/collection/2/target null
      = its/0/collection/2/valid false
      its.dte its/0/device/0x10 write=false valid=false size=0 itt=0x0
      = its/0/device/0x10/valid false
    `);
  });

  it('the configuration byte of an LPI counts when it is loaded', () => {
    story(`
      lpi.load gic/0/lpi/8193
      = gic/0/lpi/8193/cached null
      lpi.config gic/0/lpi/8193 enabled=true priority=0xa0
      = gic/0/lpi/8193/enabled true
      = gic/0/lpi/8193/priority "0xa0"
      = gic/0/lpi/8193/cached null
      lpi.load gic/0/lpi/8193
      = gic/0/lpi/8193/cached true
      lpi.config gic/0/lpi/8193 enabled=false priority=0xa0
      = gic/0/lpi/8193/cached true
      = gic/0/lpi/8193/enabled false
      lpi.load gic/0/lpi/8193
      = gic/0/lpi/8193/cached false
      gic.frame gic/0/frame/0 doorbell=0x108020040
      = gic/0/frame/0/doorbell "0x108020040"
    `);
  });
});

describe('effects: SMMU', () => {
  it('accesses, events, stages and mappings of a stream', () => {
    story(`
      smmu.trans smmu/0/stream/0x10 iova=0x1ffffffff040 output=0x108090040 perm=0x2
      = smmu/0/stream/0x10/translations 1
      = smmu/0/stream/0x10/iova "0x1ffffffff040"
      = smmu/0/stream/0x10/output "0x108090040"
      smmu.abort smmu/0/stream/0x10 iova=0x2ffffffff040 write=true
      = smmu/0/stream/0x10/aborts 1
      = smmu/0/stream/0x10/iova "0x2ffffffff040"
      = smmu/0/stream/0x10/output null
      smmu.trans smmu/0/stream/0x10 iova=0x1ffffffff040 output=0x108090040 perm=0x2
      smmu.bypass smmu/0/stream/0x10 iova=0x108090040 write=true reason=off
      = smmu/0/stream/0x10/iova "0x108090040"
      = smmu/0/stream/0x10/output null
      smmu.fault smmu/0/stream/0x10 event=F_TRANSLATION
      = smmu/0/stream/0x10/faults 1
      = smmu/0/stream/0x10/lastEvent "F_TRANSLATION"
      smmu.config smmu/0/stream/0x10 config=nested
      = smmu/0/stream/0x10/config "nested"
      smmu.map smmu/0/stream/0x10/s1/0x8000000 output=0x108090000 size=0x100001000
      = smmu/0/stream/0x10/s1/0x8000000/output "0x108090000"
      = smmu/0/stream/0x10/s1/0x8000000/size "0x100001000"
      smmu.map smmu/0/stream/0x10/s1/0x9000000 output=0x108090000 size=0x1000 ret=-12
      = smmu/0/stream/0x10/s1/0x9000000 null
      smmu.unmap smmu/0/stream/0x10/s1/0x8000000 ret=-2
      = smmu/0/stream/0x10/s1/0x8000000/output "0x108090000"
      smmu.unmap smmu/0/stream/0x10/s1/0x8000000 ret=0
      = smmu/0/stream/0x10/s1/0x8000000 null
      smmu.map smmu/0/stream/0x10/s1/0x8000000 output=0x108090000 size=0x1000 ret=0
      = smmu/0/stream/0x10/s1/0x8000000/size "0x1000"
      smmu.unmap smmu/0/stream/0x10/s1/0x8000000
      = smmu/0/stream/0x10/s1/0x8000000 null
    `);
  });
});
