// `scenarios` and `simulate` as a user calls them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { irqscope } from './run.ts';

const scenario = {
  title: 'Two causes, one mask',
  description: 'A cause is delivered, two arise behind a mask.',
  devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 2 }],
  workload: [
    { at: '100us', op: 'device.raise', object: 'device/0000:03:00.0/msix/1' },
    { at: '120us', op: 'entry.mask', object: 'device/0000:03:00.0/msix/1' },
    { at: '121us', op: 'device.raise', object: 'device/0000:03:00.0/msix/1', every: '1us', times: 2 },
  ],
};

describe('irqscope simulate', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-simulate-'));
    writeFileSync(at('mask.scenario.json'), JSON.stringify(scenario));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('tells the fate of every cause', async () => {
    const { status, out, err } = await irqscope(['simulate', at('mask.scenario.json'), '--json']);
    assert.equal(status, 0, err);
    const measures = JSON.parse(out) as Record<string, number>;
    assert.deepEqual(
      [measures['causes'], measures['delivered'], measures['merged'], measures['pending'], measures['lost']],
      [3, 1, 1, 1, 0],
    );
    assert.equal(measures['misdelivered'], 0);
  });

  it('writes a trace that other commands read and that runs again to the same bytes', async () => {
    const first = at('first.irqtrace');
    const again = at('again.irqtrace');
    assert.equal((await irqscope(['simulate', at('mask.scenario.json'), '--seed', '5', '--out', first])).status, 0);
    const { out } = await irqscope(['info', '--json', first]);
    const info = JSON.parse(out) as { format: string; unknown: object; skipped: object; events: number };
    assert.equal(info.format, 'irqtrace');
    assert.deepEqual([info.unknown, info.skipped], [{}, {}]);
    assert.ok(info.events > 50);
    const pending = await irqscope(['state', first, '--at', 'end', '--object', 'device/0000:03:00.0/msix/1', '--json']);
    const entry = JSON.parse(pending.out) as { pending: boolean; control: { fields: { mask: boolean } } };
    assert.deepEqual([entry.pending, entry.control.fields.mask], [true, true]);
    assert.equal((await irqscope(['simulate', first, '--out', again])).status, 0);
    assert.ok(readFileSync(first).equals(readFileSync(again)));
    const piped = await irqscope(['simulate', first, '--out', '-']);
    assert.equal(piped.out, readFileSync(first, 'utf8'));
  });

  it('says which settings have no effect in the scenario at hand', async () => {
    const { out, err } = await irqscope([
      'simulate',
      'first-run',
      '--set',
      'msixOwner=kernel',
      '--set',
      'vectorCleanup=ipi',
    ]);
    const lines = out.trimEnd().split('\n');
    assert.deepEqual(lines.slice(lines.findIndex((line) => line.includes('no effect'))), [
      'msixOwner has no effect on this scenario',
      'no part of this system asks for it; scenario kvm-assigned-pending shows it',
    ]);
    assert.equal(err, '');
    const json = await irqscope(['simulate', 'first-run', '--set', 'fault=F31', '--json']);
    const { noEffect } = JSON.parse(json.out) as { noEffect?: Record<string, string> };
    assert.deepEqual(noEffect, {
      fault: 'the fault finds no place in this run; it has one in scenario remap-faults',
    });
    const felt = JSON.parse((await irqscope(['simulate', 'first-run', '--json'])).out) as object;
    assert.ok(!('noEffect' in felt));
    const piped = await irqscope(['simulate', 'first-run', '--set', 'vmsi=vits', '--out', '-']);
    assert.match(piped.err, /^vmsi has no effect on this scenario$/m);
    assert.ok(piped.out.startsWith('#') && !piped.out.includes('no effect'), piped.out.slice(0, 80));
  });

  it('says when all values of a policy that are compared give the same events', async () => {
    const compare = async (scenario: string, policy: string, ...more: string[]) =>
      (await irqscope(['simulate', scenario, '--compare', policy, ...more])).out;
    const waits =
      'userMemory has no effect on this scenario\nno part of this system asks for it; it has one with msixOwner=umem\n';
    assert.ok((await compare('kvm-mask-per-interrupt', 'userMemory', '--seeds', '0')).endsWith(waits));
    // A part asks for it, but nothing of this workload moves an interrupt.
    const same =
      'affinityStrategy has no effect on this scenario\nevery value gives the same events on this workload\n';
    assert.ok((await compare('chain-basic', 'affinityStrategy')).endsWith(same));
    assert.ok(!(await compare('vector-faults', 'affinityStrategy')).includes('no effect'));
    const rows = JSON.parse(await compare('first-run', 'vmsi', '--json')) as { vmsi: string; noEffect?: string }[];
    assert.deepEqual(
      rows.map(({ vmsi, noEffect }) => [vmsi, /no part/.test(noEffect ?? '')]),
      [
        ['rmr', true],
        ['vits', true],
        ['none', true],
      ],
    );
  });

  it('runs a trace again that was told to end after some events, to the same bytes', async () => {
    const [first, again, more] = [at('some.irqtrace'), at('some-again.irqtrace'), at('more.irqtrace')];
    assert.equal((await irqscope(['simulate', at('mask.scenario.json'), '--events', '20', '--out', first])).status, 0);
    assert.match(readFileSync(first, 'utf8'), /^#events 20$/m);
    assert.equal((await irqscope(['simulate', first, '--out', again])).status, 0);
    assert.ok(readFileSync(first).equals(readFileSync(again)));
    assert.equal((await irqscope(['simulate', first, '--events', '40', '--out', more])).status, 0);
    const events = (file: string): number => readFileSync(file, 'utf8').match(/^\d/gm)!.length;
    assert.ok(events(first) >= 20 && events(first) < events(more));
  });

  it('--events 0 gives what sets the system up, whole: what comes before the workload, and no cause', async () => {
    const [none, few, all, again] = [at('none.irqtrace'), at('few.irqtrace'), at('all.irqtrace'), at('no.irqtrace')];
    const file = at('mask.scenario.json');
    const run = async (from: string, out: string, ...more: string[]): Promise<string> => {
      const { status, err } = await irqscope(['simulate', from, ...more, '--out', out]);
      assert.equal(status, 0, err);
      return readFileSync(out, 'utf8');
    };
    const eventsOf = (text: string): string[] => text.split('\n').filter((line) => /^\d/.test(line));
    const set = eventsOf(await run(file, none, '--events', '0'));
    // The workload begins at 100 us; nothing of the set-up has a later time.
    assert.ok(set.length > 0 && set.every((line) => Number(line.split(' ')[0]) < 100e-6));
    assert.ok(!set.some((line) => / dev\.raise /.test(line)));
    assert.deepEqual(eventsOf(await run(file, few, '--events', '1')), set);
    assert.deepEqual(eventsOf(await run(file, all)).slice(0, set.length), set);
    assert.equal(await run(none, again), readFileSync(none, 'utf8'));
  });

  it('runs a trace again whose scenario is larger than a line may be', async () => {
    const [file, first, again] = [at('large.scenario.json'), at('large.irqtrace'), at('large-again.irqtrace')];
    // Blanks, characters of two halves and line separators of Unicode at every place where the header may cut.
    writeFileSync(file, JSON.stringify({ ...scenario, look: 'a \u{1F600} \u2028 b'.repeat(200_000) }));
    assert.equal((await irqscope(['simulate', file, '--out', first])).status, 0);
    assert.ok(readFileSync(first).length > 2 << 20);
    const { status, err } = await irqscope(['simulate', first, '--out', again]);
    assert.deepEqual([status, err], [0, '']);
    assert.ok(readFileSync(first).equals(readFileSync(again)));
  });

  it('refuses a workload that no system could do before anything runs', async () => {
    const wrong: [object, RegExp][] = [
      [{ at: '10s', op: 'nope' }, /workload\.1\.op: there is no operation nope/],
      [{ at: '10s', op: 'device.raise' }, /workload\.1\.op: device\.raise is done to/],
      [{ at: '10s', op: 'device.raise', object: 'device/0000:03:00.0/msix/1', wrong: 1 }, /has no argument wrong/],
      [{ at: '10s', op: 'irq.affinity', object: 'irq/24' }, /workload\.1\.op: irq\.affinity needs/],
      [{ at: `${'9'.repeat(400)}s`, op: 'device.raise' }, /workload\.1\.at: the time is later than 104 days/],
      [{ at: '1s', every: `${'9'.repeat(30)}ms`, times: 2, op: 'device.raise' }, /workload\.1\.every: /],
      [{ at: '1s', every: '100s', times: 1_000_000, op: 'device.raise' }, /workload\.1\.times: /],
    ];
    for (const [task, why] of wrong) {
      writeFileSync(at('wrong.scenario.json'), JSON.stringify({ ...scenario, workload: [scenario.workload[0], task] }));
      const { status, out, err } = await irqscope(['simulate', at('wrong.scenario.json'), '--out', '-']);
      assert.deepEqual([status, out], [2, ''], err);
      assert.match(err, why);
      assert.ok(err.startsWith(`${at('wrong.scenario.json')}:1: workload.1.`), err);
      assert.match(err, /^[^\n]+\n$/);
    }
    writeFileSync(
      at('twice.scenario.json'),
      JSON.stringify({ ...scenario, devices: [...scenario.devices, ...scenario.devices] }),
    );
    assert.match(
      (await irqscope(['simulate', at('twice.scenario.json')])).err,
      /devices\.1\.bdf: another function is 0000:03:00\.0/,
    );
  });

  it('lists the bundled scenarios with title, rows and the values of their policies', async () => {
    const { status, out } = await irqscope(['scenarios', '--json']);
    assert.equal(status, 0);
    const list = JSON.parse(out) as {
      id: string;
      title: string;
      seeds: string[];
      policies: Record<string, string[]>;
    }[];
    const pending = list.find((s) => s.id === 'first-run');
    assert.ok(pending && pending.title.length > 5);
    for (const { id, seeds, policies } of list) {
      for (const row of seeds) assert.match(row, /^S[0-4]-\d+$/, id);
      for (const values of Object.values(policies)) assert.ok(values.length > 1, id);
    }
  });

  it('compares the values of a policy on the same workload', async () => {
    const { status, out, err } = await irqscope([
      'simulate',
      'kvm-mask-per-interrupt',
      '--compare',
      'msixOwner',
      '--json',
    ]);
    assert.equal(status, 0, err);
    const runs = JSON.parse(out) as { msixOwner: string; causes: number; userExits: number }[];
    assert.ok(runs.length > 2);
    assert.equal(new Set(runs.map((r) => r.causes)).size, 1, 'the same workload');
    assert.ok(new Set(runs.map((r) => r.userExits)).size > 1, 'designs differ in exits to user space');
    const { spread, verdict, guestLatency } = runs[0] as unknown as {
      spread: { guestLatency: number[] };
      verdict: string;
      guestLatency: number;
    };
    assert.equal(spread.guestLatency.length, 3);
    assert.ok(guestLatency > 4200 && /are fastest/.test(verdict));
    const page = await irqscope(['simulate', 'chain-basic', '--compare', 'guest.store', '--seeds', '0', '--markdown']);
    assert.match(page.out, /^# .*: guest\.store\n\nmsixTable, config, deviceMemory and queueMemory differ neither/);
  });

  it('writes a scenario to begin with, which runs, and leaves a file that is there alone', async () => {
    const file = at('mine.scenario.json');
    const made = await irqscope(['scenarios', '--new', at('mine')]);
    assert.deepEqual([made.status, made.err], [0, '']);
    assert.ok(made.out.includes(file));
    const measures = JSON.parse((await irqscope(['simulate', file, '--json'])).out) as { delivered: number };
    assert.equal(measures.delivered, 5);
    const text = readFileSync(file, 'utf8');
    const again = await irqscope(['scenarios', '--new', at('mine')]);
    assert.equal(again.status, 2);
    assert.match(again.err, /this file is there already/);
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  it('explores seeds on all processors, and writes the shortest run of each finding', async () => {
    const args = ['simulate', 'kvm-mask-in-flight', '--set', 'maskSync=never', '--explore', '120', '--json'];
    const { status, out } = await irqscope([...args, '--jobs', '2', '--out', at('explored')]);
    assert.equal(status, 1, 'an error was found');
    interface Found {
      readonly rule: string;
      readonly seeds: number;
      readonly step: number;
      readonly file: string;
    }
    const both = JSON.parse(out) as { seeds: number; findings: Found[] };
    assert.equal(both.seeds, 120);
    const [race] = both.findings;
    assert.deepEqual([both.findings.length, race!.rule], [1, 'INV-FLUSH']);
    // The file holds the run, which ends with what was found, and runs again to the same bytes.
    const events = (await irqscope(['events', race!.file, '--from', String(race!.step)])).out.trimEnd().split('\n');
    assert.ok(
      events.some((line) => /illegal .*rule=INV-FLUSH/.test(line)),
      events.join('\n'),
    );
    assert.ok(events.length < 8, 'the run ends there');
    const again = await irqscope(['simulate', race!.file, '--out', '-']);
    assert.equal(again.out, readFileSync(race!.file, 'utf8'));
    // One process finds the same.
    const alone = JSON.parse((await irqscope([...args, '--jobs', '1'])).out) as { findings: Found[] };
    assert.deepEqual(
      alone.findings.map(({ rule, seeds, step }) => [rule, seeds, step]),
      both.findings.map(({ rule, seeds, step }) => [rule, seeds, step]),
    );
  });

  for (const [args, message] of [
    [['simulate'], /needs one SCENARIO/],
    [['simulate', 'first-run', '--explore', '0'], /--explore 0 is no number from 1 on/],
    [['simulate', 'first-run', '--explore', '2', '--jobs', 'x'], /--jobs x is no number from 1 on/],
    [['simulate', 'first-run', '--explore', '2', '--compare', 'vmsi'], /exclude each other/],
    [['simulate', 'first-run', '--whole'], /--whole belongs to --explore/],
    [['simulate', 'frist-run'], /there is no scenario frist-run; did you mean first-run\?/],
    [['simulate', 'first-run', '--set', 'noSuch=1'], /there is no policy noSuch/],
    [['simulate', 'first-run', '--set', 'msixOwner=magic'], /policy msixOwner is one of /],
    [['simulate', 'first-run', '--seed', 'x'], /--seed x is no whole number/],
    [['simulate', 'first-run', '--compare', 'vmsi', '--seeds', 'x'], /--seeds x is no number of runs/],
    [['simulate', 'first-run', '--seeds', '3'], /--seeds belongs to --compare/],
    [['simulate', 'first-run', '--markdown'], /--markdown belongs to --compare/],
    [['simulate', 'first-run', '--compare', 'vmsi', '--json', '--markdown'], /exclude each other/],
    [['simulate', 'nothing.scenario.json'], /nothing\.scenario\.json: no such file/],
    [['simulate', 'examples/x86-vtd-qemu.log'], /this trace was not simulated/],
    [['simulate', 'first-run', '--out', '/nowhere/at/all'], /there is no such directory/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { status, out, err } = await irqscope(args);
      assert.equal(status, 2);
      assert.equal(out, '');
      assert.match(err, message);
      assert.equal(err.trimEnd().split('\n').length, 1);
    });
  }

  it('reads a scenario with a byte order mark, and in UTF-16', async () => {
    const text = `\ufeff${JSON.stringify(scenario)}`;
    writeFileSync(at('plain.scenario.json'), text.slice(1));
    const plain = await irqscope(['simulate', at('plain.scenario.json'), '--events', '50', '--out', '-']);
    assert.deepEqual([plain.status, plain.err], [0, '']);
    for (const bytes of [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()]) {
      writeFileSync(at('marked.scenario.json'), bytes);
      const { status, out } = await irqscope(['simulate', at('marked.scenario.json'), '--events', '50', '--out', '-']);
      assert.equal(status, 0);
      assert.equal(out, plain.out);
    }
  });

  it('says where a scenario is unsound', async () => {
    writeFileSync(at('bad.scenario.json'), JSON.stringify({ ...scenario, devices: [{ bdf: '3:0.0', name: 'x' }] }));
    const { status, err } = await irqscope(['simulate', at('bad.scenario.json')]);
    assert.equal(status, 2);
    assert.match(err, /bad\.scenario\.json:1: devices\.0\.bdf: a BDF with segment/);
    writeFileSync(at('op.scenario.json'), JSON.stringify({ ...scenario, workload: [{ at: 0, op: 'device.explode' }] }));
    assert.match((await irqscope(['simulate', at('op.scenario.json')])).err, /there is no operation device\.explode/);
  });
});
