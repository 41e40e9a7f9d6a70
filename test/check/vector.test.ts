// Rules about the vector domain, on traces made by hand: what breaks each rule, and what comes near it and does not.
import assert from 'node:assert/strict';
import { found, judged, made, verdict } from './made.ts';

const UPDATE = (time: number, irq: number, to: string, from: string): string => {
  const [cpu, vector] = to.split('/');
  const [prevCpu, prevVector] = from.split('/');
  return `${time}@${prevCpu} vec.update irq/${irq} vector=${vector} cpu=${cpu} prevVector=${prevVector} prevCpu=${prevCpu}`;
};
const FREED = (time: number, irq: number, at: string): string => {
  const [cpu, vector] = at.split('/');
  return `${time}@${cpu} vec.freeMoved irq/${irq} cpu=${cpu} vector=${vector} managed=false`;
};
const ENTRY = (time: number, irq: number, cpu: number): string => `${time}@${cpu} irq.entry irq/${irq} name=eth0`;
const MATRIX = (time: number, op: string, cpu: number, available: number, allocated: number, global: number): string =>
  `${time}@0 mtx.${op} domain/VECTOR vector=34 cpu=${cpu} online=true available=${available} allocated=${allocated} managed=0 onlineMaps=3 globalAvailable=${global} reserved=0 total=9`;
const ONLINE = `0@0 cpu.online cpu/0\n0@1 cpu.online cpu/1\n0@2 cpu.online cpu/2\n`;

describe('rules about vectors', () => {
  it('F20 an irq moves again and the vector before was never freed', () => {
    const trace = made(
      `${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}\n${FREED(2, 30, '2/40')}\n${UPDATE(9, 24, '2/35', '1/33')}`,
    );
    assert.deepEqual(found(trace, 'F20'), [
      '5 irq/24: vector 34 of CPU 0 leaked: irq 24 moved away from it and it was never freed',
    ]);
    assert.deepEqual(judged(trace, 'F20').findings[0]!.evidence, [3]);
  });

  it('F20 the three ways in which a vector is freed', () => {
    const first = `${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}`;
    const again = UPDATE(9, 24, '2/35', '1/33');
    for (const free of [
      FREED(5, 24, '0/34'),
      MATRIX(5, 'free', 0, 200, 1, 600),
      '5@1 vec.clear irq/24 vector=33 cpu=1 prevVector=34 prevCpu=0',
    ])
      assert.deepEqual(found(made(`${first}\n${free}\n${again}`), 'F20'), [], free);
    const offline = made(
      `${ONLINE}0 cpu.state cpu/0 online=false\n${UPDATE(1, 24, '1/33', '0/34')}\n${FREED(2, 30, '2/40')}\n${again}`,
    );
    assert.deepEqual(found(offline, 'F20'), [], 'its CPU is offline: the matrix frees it at once, without a record');
    const placeholder = made(
      `${ONLINE}${UPDATE(1, 24, '1/33', '0/239')}\n${FREED(2, 30, '2/40')}\n${again.replace('prevVector=33', 'prevVector=0')}`,
    );
    assert.deepEqual(found(placeholder, 'F20'), [], '0xef is no vector');
  });

  it('F20 is undecidable where the old CPU went offline in between: a dying CPU leaves no records', () => {
    const trace =
      made(`${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}\n2 cpu.state cpu/0 online=false\n3 cpu.state cpu/0 online=true
      ${FREED(4, 30, '2/40')}\n${UPDATE(9, 24, '2/35', '1/33')}`);
    assert.deepEqual(found(trace, 'F20'), []);
    assert.equal(verdict(trace, 'F20'), 'undecidable');
    const unrecorded = made(`${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}\n${UPDATE(9, 24, '2/35', '1/33')}`);
    assert.equal(verdict(unrecorded, 'F20'), 'undecidable', 'vector_free_moved is not in the trace');
  });

  it('F20 the count of maps shows that no CPU went offline in between, however long it took', () => {
    const moves = (maps: readonly [number, number], between = ''): string => `${ONLINE}
      ${MATRIX(1, 'alloc', 1, 200, 1, 600).replace('onlineMaps=3', `onlineMaps=${maps[0]}`)}
      ${UPDATE(1, 24, '1/33', '0/34')}\n${FREED(2, 30, '2/40')}\n${between}
      ${MATRIX(1e6, 'alloc', 2, 200, 1, 600).replace('onlineMaps=3', `onlineMaps=${maps[1]}`)}
      ${UPDATE(1e6, 24, '2/35', '1/33')}`;
    assert.deepEqual(found(made(moves([3, 3])), 'F20'), [
      '7 irq/24: vector 34 of CPU 0 leaked: irq 24 moved away from it and it was never freed',
    ]);
    // A CPU is missing, or one came back: the records of the one that went are missing.
    assert.equal(verdict(made(moves([3, 2])), 'F20'), 'undecidable');
    const back = '5e5@2 mtx.online domain/VECTOR onlineMaps=3 available=600 reserved=0 total=9'.replace(
      '5e5',
      '500000',
    );
    assert.equal(verdict(made(moves([3, 3], back)), 'F20'), 'undecidable');
  });

  it('F20 is undecidable where a CPU had the time to go offline and come back without a record', () => {
    const trace = made(
      `${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}\n${FREED(2, 30, '2/40')}\n${UPDATE(90_000, 24, '2/35', '1/33')}`,
    );
    assert.equal(verdict(trace, 'F20'), 'undecidable');
  });

  it('F20 a CPU is offline and the matrix counts more vectors on it than irqs hold, told once', () => {
    const held = `${ONLINE}${UPDATE(1, 24, '2/33', '0/0')}`;
    const offline = (time: number) =>
      `${time}@2 mtx.offline domain/VECTOR onlineMaps=2 available=400 reserved=0 total=1`;
    const leak = made(`${held}\n${MATRIX(2, 'alloc', 2, 200, 2, 600)}\n${offline(3)}\n${offline(9)}`, true);
    assert.deepEqual(found(leak, 'F20'), ['5 cpu/2: 1 vector of CPU 2 leaked: allocated, and no irq has it']);
    assert.deepEqual(found(made(`${held}\n${MATRIX(2, 'alloc', 2, 200, 1, 600)}\n${offline(3)}`, true), 'F20'), []);
    const capture = made(`${held}\n${MATRIX(2, 'alloc', 2, 200, 2, 600)}\n${offline(3)}`);
    assert.deepEqual(found(capture, 'F20'), [], 'a capture does not show who holds what since before it began');
  });

  it('F20 a vector that is freed twice', () => {
    const trace = made(`${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}\n${FREED(2, 24, '0/34')}\n${FREED(3, 24, '0/34')}`);
    assert.deepEqual(found(trace, 'F20'), ['5 irq/24: vector 34 of CPU 0 was freed twice by irq 24']);
  });

  const FULL = '5@0 vec.alloc irq/26 vector=0 reserved=false ret=-28';
  const owners = `${ONLINE}${UPDATE(1, 24, '2/33', '0/0')}\n${UPDATE(1, 25, '2/34', '0/0')}`;

  it('F21 the CPUs of the mask are full and others are not: who holds the vectors', () => {
    const trace = made(
      `${owners}\n${MATRIX(2, 'alloc', 1, 147, 55, 147)}\n${MATRIX(3, 'alloc', 2, 0, 202, 147)}\n${FULL}`,
    );
    assert.deepEqual(found(trace, 'F21'), ['7 irq/26: irq 26 found no free vector on the CPUs that it may go to']);
    const { text } = judged(trace, 'F21').findings[0]!;
    assert.match(
      text,
      /147 vectors are free\. The mask is exhausted, not the machine\. Free: CPU 1 147, CPU 2 0\. Held by: CPU 2: irq 24, irq 25\./,
    );
  });

  it('F21 does not say that other CPUs have room where no record tells', () => {
    const { text } = judged(made(`${owners}\n${FULL}`), 'F21').findings[0]!;
    assert.match(text, /Whether other CPUs have room is not known\./);
    assert.doesNotMatch(text, /Other CPUs have room/);
  });

  it('F21 the whole machine is full, and managed vectors are', () => {
    const all = made(`${owners}\n${MATRIX(3, 'alloc', 2, 0, 202, 0)}\n${FULL}`);
    assert.deepEqual(found(all, 'F21'), ['6 irq/26: irq 26 found no free vector on any CPU']);
    const managed = made(`${owners}\n5@0 vec.allocManaged irq/26 vector=0 ret=-28`);
    assert.match(found(managed, 'F21')[0]!, /of those set aside for managed irqs/);
  });

  it('F21 the attempts of one allocation are told once, other errors not at all', () => {
    const twice = made(`${owners}\n${FULL}\n${FULL.replace('5@', '6@')}\n${FULL.replace('5@', '9000@')}`);
    assert.deepEqual(found(twice, 'F21').length, 2, 'the third one is another allocation');
    const elsewhere = judged(made(`${owners}\n${FULL}\n${UPDATE(6, 26, '1/40', '0/0')}`), 'F21').findings;
    assert.deepEqual(
      elsewhere.map(({ step, severity }) => [step, severity]),
      [[5, 'info']],
    );
    assert.match(elsewhere[0]!.text, /The kernel then took a vector of CPU 1\./);
    // The first record of many boots (irq 0, no CPU in the mask).
    assert.deepEqual(found(made(`${owners}\n5@0 vec.alloc irq/0 vector=0 reserved=false ret=-22`), 'F21'), []);
  });

  it('F21 more vectors are promised than are free', () => {
    const reserve = (time: number, reserved: number) =>
      `${time}@0 mtx.reserve domain/VECTOR onlineMaps=1 available=3 reserved=${reserved} total=200`;
    const trace = made(
      `${reserve(1, 3)}\n${reserve(2, 4)}\n${reserve(3, 5)}\n4 vec.alloc irq/30 vector=40 reserved=false ret=0`,
    );
    assert.deepEqual(found(trace, 'F21'), ['1 domain/VECTOR: 4 vectors are promised and 3 are free']);
  });

  it('F22 exhaustion is said, and no allocation failed for want of vectors', () => {
    const said = 'message log text="irq 26: Affinity broken due to vector space exhaustion."';
    const none = made(`${ONLINE}5@0 vec.alloc irq/26 vector=40 reserved=false ret=0\n6 ${said}`);
    assert.deepEqual(found(none, 'F22'), [
      '4 irq/26: the affinity of irq 26 was broken, but vectors were not exhausted',
    ]);
    assert.deepEqual(found(made(`${ONLINE}${FULL}\n6 ${said}`), 'F22'), []);
    assert.equal(verdict(made(`6 ${said}`), 'F22'), 'undecidable', 'allocations are not recorded');
  });

  it('F22 the line follows the mask that worked, after the masks that did not', () => {
    const said = 'message log text="irq 26: Affinity broken due to vector space exhaustion."';
    const alloc = (time: number, ret: number) => `${time}@0 vec.alloc irq/26 vector=34 reserved=true ret=${ret}`;
    const activate = (time: number) => `${time}@0 vec.activate irq/26 managed=false canReserve=true reserve=false`;
    const three = `${alloc(5, -28)}\n${alloc(6, -28)}\n${alloc(7, 0)}`;
    assert.deepEqual(found(made(`${ONLINE}${activate(4)}\n${three}\n8 ${said}`), 'F22'), []);
    assert.deepEqual(found(made(`${ONLINE}${activate(4)}\n${three}\n9000 ${said}`), 'F22'), []);
    assert.deepEqual(found(made(`${ONLINE}${three}\n8 ${said}`), 'F22'), [], 'its activation is not recorded');
    assert.equal(found(made(`${ONLINE}${three}\n9000 ${said}`), 'F22').length, 1, 'the attempts are long ago');
    const later = `${three}\n${activate(8)}\n${alloc(9, -22)}\n${alloc(10, 0)}\n11 ${said}`;
    assert.equal(found(made(`${ONLINE}${later}`), 'F22').length, 1, 'the attempts of another activation');
  });

  it('F23 a CPU that cannot go offline, with the numbers of the matrix beside those of the message', () => {
    const said = 'message log text="CPU 2 has 57 vectors, 12 available. Cannot disable CPU"';
    const trace = made(`${owners}\n${MATRIX(3, 'alloc', 2, 100, 40, 140)}\n6 ${said}`);
    assert.deepEqual(found(trace, 'F23'), [
      '6 cpu/2: CPU 2 cannot go offline: 57 vectors would have to move, 12 are free elsewhere',
    ]);
    const { text } = judged(trace, 'F23').findings[0]!;
    assert.match(
      text,
      /counts only 40 on it, and by that record 40 are free on the other CPUs\. Known owners: CPU 2: irq 24, irq 25\./,
    );
  });

  it('F24 a vector that nobody owns any more, and who gave it up', () => {
    const said = 'message log text="__common_interrupt: 0.34 No irq handler for vector"';
    const trace = made(`${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}\n${FREED(1000, 24, '0/34')}\n3000 ${said}`);
    assert.deepEqual(found(trace, 'F24'), [
      '5 cpu/0/vector/34: an interrupt arrived at vector 34 of CPU 0, which no irq owns: irq 24 had given it up',
    ]);
    const [finding] = judged(trace, 'F24').findings;
    assert.match(finding!.text, /irq 24 gave it up 2\.000 ms before/);
    assert.deepEqual(finding!.evidence, [4]);
    assert.match(judged(made(`3 ${said}`), 'F24').findings[0]!.text, /no record tells of an owner/);
    // What the two steps of a move raise again elsewhere is ignored here.
    const again = '3@0 drop cpu/0/vector/34 reason="the vector was raised again elsewhere: ignored here"';
    assert.deepEqual(found(made(`${ONLINE}${again}`, true), 'F24'), []);
  });

  it('F24 the text of kernels since 6.12 names the CPU and the vector last', () => {
    const trace = made('3 message log text="No irq handler for 2.34"');
    assert.match(found(trace, 'F24')[0]!, /^0 cpu\/2\/vector\/34: an interrupt arrived at vector 34 of CPU 2/);
    assert.deepEqual(found(made('3 message log text="No irq handler for them"'), 'F24'), []);
  });

  it('F24 a handler on a CPU that does not own the irq, where that CPU was at work all the time', () => {
    const moved = `${ONLINE}${UPDATE(100, 24, '1/33', '0/34')}\n${FREED(200, 24, '0/34')}`;
    const trace = made(
      `${moved}\n300@1 irq.entry irq/30 name=nvme0\n${ENTRY(400, 24, 2)}\n500@1 irq.entry irq/30 name=nvme0`,
    );
    assert.deepEqual(found(trace, 'F24'), ['6 irq/24: the handler of irq 24 ran on CPU 2, its vector is on CPU 1']);
    const offline = made(
      `${moved}\n300@1 irq.entry irq/30 name=nvme0\n${ENTRY(400, 24, 2)}\n90000@1 irq.entry irq/30 name=nvme0`,
    );
    assert.deepEqual(
      found(offline, 'F24'),
      [],
      'CPU 1 may have been offline in between: no record tells that irqs left it',
    );
    const before = made(`${ONLINE}${UPDATE(100, 24, '1/33', '0/34')}\n${ENTRY(300, 24, 0)}\n${ENTRY(400, 24, 1)}`);
    assert.deepEqual(found(before, 'F24'), [], 'the move is not finished: both CPUs may run it');
    assert.equal(verdict(before, 'F24'), 'pass');
  });

  it('F24 a handler that runs once more for an interrupt that came on the CPU of its vector', () => {
    const status = (time: number, cpu: number, pending: boolean) =>
      `${time}@${cpu} irq.status irq/24 disabled=false pending=${pending}`;
    const exit = (time: number) => `${time}@0 irq.exit irq/24 handled=true`;
    const moved = `${ONLINE}${UPDATE(100, 24, '1/33', '0/34')}\n${ENTRY(150, 24, 0)}\n${FREED(200, 24, '0/34')}`;
    const noted = [status(250, 1, true), exit(300), status(300, 0, false), ENTRY(310, 24, 0), exit(400)];
    assert.deepEqual(found(made(`${moved}\n${noted.join('\n')}`, true), 'F24'), []);
    const third = `${noted.join('\n')}\n${ENTRY(500, 24, 0)}`;
    assert.deepEqual(found(made(`${moved}\n${third}`, true), 'F24').length, 1, 'once, and only then');
    const none = [exit(300), ENTRY(310, 24, 0)].join('\n');
    assert.deepEqual(found(made(`${moved}\n${none}`, true), 'F24').length, 1, 'nothing came meanwhile');
  });

  it('F24 a CPU that comes back without a record of the matrix was not offline', () => {
    const moved = `${ONLINE}${UPDATE(100, 24, '1/33', '0/34')}\n${FREED(200, 24, '0/34')}`;
    const matrix = MATRIX(250, 'free', 0, 200, 1, 600);
    const wrong = ENTRY(400, 24, 2);
    const later = '90000@1 irq.entry irq/30 name=nvme0';
    const online = '80000@1 mtx.online domain/VECTOR onlineMaps=3 available=600 reserved=0 total=9';
    assert.deepEqual(found(made(`${moved}\n${matrix}\n${wrong}\n${later}`), 'F24'), [
      '6 irq/24: the handler of irq 24 ran on CPU 2, its vector is on CPU 1',
    ]);
    assert.equal(verdict(made(`${moved}\n${matrix}\n${wrong}\n${online}\n${later}`), 'F24'), 'pass');
    assert.equal(verdict(made(`${moved}\n${matrix}\n${wrong}`), 'F24'), 'undecidable', 'CPU 1 may be offline');
    assert.equal(verdict(made(`${moved}\n${wrong}\n${later}`), 'F24'), 'undecidable', 'the matrix is not recorded');
  });

  it('F25 a vector is freed while it is requested', () => {
    const moved = `${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}\n5@0 cpu.accept cpu/0/vector/34`;
    assert.deepEqual(found(made(`${moved}\n${FREED(9, 24, '0/34')}`), 'F25'), [
      '5 irq/24: irq 24 freed vector 34 of CPU 0 while an interrupt waits there',
    ]);
    assert.deepEqual(found(made(`${moved}\n6@0 cpu.take cpu/0/vector/34\n${FREED(9, 24, '0/34')}`), 'F25'), []);
    assert.equal(verdict(made(`${UPDATE(1, 24, '1/33', '0/34')}\n${FREED(9, 24, '0/34')}`), 'F25'), 'undecidable');
  });

  it('F26 a move that waits for an interrupt, and one that does not end with it', () => {
    const busy = (time: number) => `${time}@0 irq.affinity irq/24 mask=2 deferred=true ret=-16`;
    const moved = `${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}`;
    const idle = judged(made(`${moved}\n${busy(5)}\n${busy(6)}\n${busy(7)}`), 'F26').findings;
    assert.deepEqual(
      idle.map(({ step, severity }) => [step, severity]),
      [[5, 'info']],
    );
    assert.match(idle[0]!.title, /waits for its next interrupt/);
    const twice = `${moved}\n${busy(5)}\n${busy(6)}`;
    assert.equal(verdict(made(twice), 'F26'), 'pass', 'a device without interrupts is no failure');
    // The timer that frees the old vector runs within a jiffy of that interrupt: refusals until then say nothing.
    const soon = `${moved}\n${busy(5)}\n${ENTRY(6, 24, 1)}\n${busy(7)}`;
    assert.deepEqual(found(made(soon), 'F26'), []);
    const stuck = judged(made(`${soon}\n${busy(30_000)}`), 'F26').findings;
    assert.deepEqual(
      stuck.map(({ step, severity }) => [step, severity]),
      [[7, 'warning']],
    );
    assert.equal(verdict(made(`${soon}\n${busy(30_000)}`), 'F26'), 'fail');
    assert.deepEqual(found(made(`${moved}\n${busy(5)}\n${FREED(6, 24, '0/34')}\n${busy(7)}`), 'F26'), []);
  });

  it('F26 is undecidable where no request tells its answer', () => {
    const asked = (time: number, ret: string) => `${time}@0 irq.affinity irq/24 mask=2${ret}`;
    const moved = `${ONLINE}${UPDATE(1, 24, '1/33', '0/34')}`;
    const silent = made(`${moved}\n${asked(5, '')}\n${asked(6, '')}`);
    assert.deepEqual(found(silent, 'F26'), []);
    assert.equal(verdict(silent, 'F26'), 'undecidable');
    assert.equal(verdict(made(`${moved}\n${asked(5, ' ret=0')}`), 'F26'), 'pass');
    assert.equal(verdict(made(`${ONLINE}${asked(5, '')}\n${UPDATE(6, 24, '1/33', '0/34')}`), 'F26'), 'not-applicable');
  });

  const MANAGED = `${ONLINE}1@0 vec.reserveManaged irq/28 ret=0
    1@0 vec.allocManaged irq/28 vector=33 ret=0\n${UPDATE(2, 28, '2/33', '0/0')}`;
  const DOWN = `5 cpu.state cpu/2 online=false\n6@2 irq.managed irq/28 shutdown=true`;

  it('F27 a managed irq that is not started again, and one that is', () => {
    const dead = made(`${MANAGED}\n${DOWN}\n100 cpu.state cpu/2 online=true\n200000 cpu.state cpu/1 online=false`);
    assert.deepEqual(found(dead, 'F27'), [
      '8 irq/28: irq 28 is managed and was not started again when CPU 2 came online',
    ]);
    const started = made(
      `${MANAGED}\n${DOWN}\n100 cpu.state cpu/2 online=true\n101@2 irq.managed irq/28 shutdown=false\n200000 cpu.state cpu/1 online=false`,
    );
    assert.deepEqual(found(started, 'F27'), []);
    assert.equal(verdict(started, 'F27'), 'pass');
  });

  it('F27 a managed irq that is shut down while its CPU is online, and one that user space wants to move', () => {
    const early = made(`${MANAGED}\n6@2 irq.managed irq/28 shutdown=true`);
    assert.deepEqual(found(early, 'F27'), ['6 irq/28: irq 28 is managed and was shut down while CPU 2 is online']);
    const refused = judged(
      made(`${MANAGED}\n6@0 irq.affinity irq/28 mask=1 ret=-1\n7@0 irq.affinity irq/28 mask=1 ret=-1`),
      'F27',
    ).findings;
    assert.deepEqual(
      refused.map(({ step, severity, title }) => [step, severity, title]),
      [[6, 'info', 'irq 28 is managed: user space cannot move it']],
    );
    assert.deepEqual(found(made('6@0 irq.affinity irq/0 mask=1 ret=-5'), 'F27'), [
      '0 irq/0: irq 0 cannot be moved by user space: it is not movable or managed',
    ]);
  });

  it('F28 an entry is unmasked before it has a message; a vector is freed while its entry can send', () => {
    const E = 'device/0000:03:00.0/msix/1';
    const on = `0 cfg.read device/0000:03:00.0 offset=0x34 size=1 value=0x60
      0 cfg.read device/0000:03:00.0 offset=0x60 size=4 value=0x80030011`;
    const early =
      made(`${on}\n1 tbl.write ${E} offset=0x0 size=8 value=0x0\n1 tbl.write ${E} offset=0x8 size=8 value=0x100000000
      2 tbl.write ${E} offset=0xc size=4 value=0x0`);
    assert.deepEqual(found(early, 'F28'), [`4 ${E}: entry 1 of 0000:03:00.0 was unmasked before it got a message`]);
    const ready =
      made(`${on}\n1 tbl.write ${E} offset=0x0 size=8 value=0xfee01000\n1 tbl.write ${E} offset=0x8 size=8 value=0x100000021
      2 tbl.write ${E} offset=0xc size=4 value=0x0\n3 irq.identify irq/25 device=0000:03:00.0 hwirq=1 domain=PCI-MSIX-0000:03:00.0`);
    assert.deepEqual(found(ready, 'F28'), []);
    const clear = 'vec.clear irq/25 vector=33 cpu=1 prevVector=0 prevCpu=0';
    const set = (text: string) =>
      made(`${on}\n1 tbl.write ${E} offset=0x0 size=8 value=0xfee01000\n1 tbl.write ${E} offset=0x8 size=8 value=0x21
      3 irq.identify irq/25 device=0000:03:00.0 hwirq=1 domain=PCI-MSIX-0000:03:00.0\n${text}`);
    assert.deepEqual(found(set(`9@0 ${clear}`), 'F28'), [
      `5 ${E}: vector 33 of CPU 1 was freed while entry 1 of 0000:03:00.0 can still send to it`,
    ]);
    assert.deepEqual(found(set(`8 tbl.write ${E} offset=0xc size=4 value=0x1\n9@0 ${clear}`), 'F28'), []);
  });
});
