// References of the model, followed on real captures; what a message leads to is decoded here a second time, by hand, from
// the registers that the capture shows.
import assert from 'node:assert/strict';
import { linksOf } from '../../src/model/references.ts';
import { irq, vector } from '../../src/model/things/irq.ts';
import { msixEntry } from '../../src/model/things/pci.ts';
import { itsEvent } from '../../src/model/things/remap.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { fixtureTrace } from '../helpers/fixtures.ts';
import { told } from '../helpers/told.ts';

/** Where each reference of an object leads at the end of a trace, as paths. */
function links(trace: Trace, object: number): Record<string, string> {
  return Object.fromEntries(linksOf(trace.head, object).map((l) => [l.name, trace.world.path(l.target)]));
}

function* objectsOf(trace: Trace, type: object): Generator<number> {
  for (let object = 0; object < trace.world.objects; object++)
    if (trace.world.type(object) === type && trace.head.present(object)) yield object;
}

describe('references', () => {
  it('VT-d: an entry in remappable format leads to the IRTE that its handle names (A1)', () => {
    const trace = fixtureTrace('x86-vtd/qemu.log');
    let followed = 0;
    for (const entry of objectsOf(trace, msixEntry)) {
      const lo = trace.head.num(entry, msixEntry.at.address);
      if (lo < 0 || lo >>> 20 !== 0xfee || (lo & 0x10) === 0) continue;
      // VT-d 5.1.2.2: handle 14:0 in address bits 19:5, bit 15 in bit 2; SHV in bit 3 adds data bits 15:0.
      const handle = ((lo >>> 5) & 0x7fff) | ((lo & 4) << 13);
      const data = trace.head.num(entry, msixEntry.at.data);
      const index = handle + (lo & 8 ? data & 0xffff : 0);
      const path = `irte/0/${index}`;
      assert.equal(links(trace, entry)['message'], trace.world.objectAt(path) < 0 ? undefined : path);
      if (trace.world.objectAt(path) >= 0) followed++;
    }
    assert.ok(followed >= 5, `${followed} entries`);
  });

  it('Arm: an entry leads to the event of its own DeviceID in the ITS', () => {
    const trace = fixtureTrace('arm64-a/qemu.log');
    let followed = 0;
    for (const entry of objectsOf(trace, msixEntry)) {
      const to = links(trace, entry)['message'];
      if (to === undefined) continue;
      const [bus, slot, fn] = /:(..):(..)\.(.)\//
        .exec(trace.world.path(entry))!
        .slice(1)
        .map((n) => Number.parseInt(n, 16));
      const id = (bus! << 8) | (slot! << 3) | fn!;
      const data = trace.head.num(entry, msixEntry.at.data);
      assert.equal(to, `its/0/device/0x${id.toString(16)}/event/${data}`);
      followed++;
    }
    assert.ok(followed > 0);
  });

  it('an ITS event leads to its collection', () => {
    const trace = fixtureTrace('arm64-a/qemu.log');
    let followed = 0;
    for (const event of objectsOf(trace, itsEvent)) {
      const icid = trace.head.num(event, itsEvent.at.collection);
      if (icid < 0) continue;
      assert.equal(links(trace, event)['collection'], `its/0/collection/${icid}`);
      followed++;
    }
    assert.ok(followed > 0);
  });

  it('Linux: a vector leads to its irq and the irq back to the vector', () => {
    const trace = fixtureTrace('x86-vtd/ftrace.txt');
    let followed = 0;
    for (const object of objectsOf(trace, irq)) {
      const cpu = trace.head.num(object, irq.at.cpu);
      const v = trace.head.num(object, irq.at.vector);
      const place = links(trace, object)['place'];
      if (place === undefined) continue;
      assert.equal(place, `cpu/${cpu}/vector/${v}`);
      const at = trace.world.objectAt(place);
      if (trace.head.num(at, vector.at.irq) !== Number(trace.world.node(object)!.segment)) continue;
      assert.equal(links(trace, at)['irq'], trace.world.path(object));
      followed++;
    }
    assert.ok(followed >= 5, `${followed} irqs`);
  });

  it('a message with a vector leads to the CPU that an irq shows for its APIC id, and nowhere before', () => {
    const message = [
      'tbl.write device/0000:00:03.0/msix/0 offset=0x0 size=8 value=0xfee05000',
      'tbl.write device/0000:00:03.0/msix/0 offset=0x8 size=4 value=0x22',
      'mtx.alloc domain/VECTOR vector=34 cpu=1 online=true available=200 allocated=1 managed=0 onlineMaps=2 globalAvailable=400 reserved=0 total=1',
    ];
    const entry = (trace: Trace): number => trace.world.objectAt('device/0000:00:03.0/msix/0');
    const before = told(...message);
    assert.equal(links(before, entry(before))['message'], undefined, 'APIC id 5 is not CPU 5');
    const after = told(...message, 'vec.config irq/40 vector=34 cpu=1 apicDest=0x5');
    assert.equal(links(after, entry(after))['message'], 'cpu/1/vector/34');
  });

  it('the CPUs of a kernel inside a guest are virtual CPUs', () => {
    const events = [
      'vec.setup guest/0/irq/24 legacy=false ret=0',
      'vec.alloc guest/0/irq/24 vector=33 ret=0 reserved=false',
      'vec.config guest/0/irq/24 vector=33 cpu=0 apicDest=0x0',
      'cpu.online cpu/0',
      'apic.accept vcpu/0/vector/33 mode=fixed posted=false',
    ];
    const trace = told(...events);
    const cpu = links(trace, trace.world.objectAt('guest/0/irq/24'))['cpu'];
    assert.equal(cpu, 'vcpu/0');
  });

  it('an irq that was never moved has no previous vector, though the kernel prints CPU 0', () => {
    const trace = told(
      'cpu.online cpu/0',
      'vec.setup irq/24 legacy=false ret=0',
      'vec.update irq/24 vector=33 cpu=1 prevVector=0 prevCpu=0',
    );
    assert.equal(links(trace, trace.world.objectAt('irq/24'))['previous'], undefined);
  });
});
