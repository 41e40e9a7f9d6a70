// What comes from a trace, a scenario, a file name or an argument reaches no terminal as a control character.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shown, shownJson, shownLines } from '../../src/base/visible.ts';
import { example, irqscope } from './run.ts';

/** ESC, BEL, CR, DEL, a C1 control (CSI), right-to-left override, isolate, line separator. */
const HOSTILE = '\x1b[31m\x07\r\x7f\x9b1m\u202e\u2066\u2028';
/** Anything that a terminal may act on, but the line feed: Unicode Cc and Bidi_Control. */
const ACTS = /(?!\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

describe('a hostile text', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'irqscope-terminal-'));
    const quoted = JSON.stringify(`a${HOSTILE}b`);
    const lines = [
      '#irqtrace 1',
      `#clock seconds digits=6 ${quoted}`,
      `1.0 cpu0 ${quoted} mark "marker/${HOSTILE.slice(1, 4)}" text=${quoted}`,
      `1.0 - - irq.mask irq/7 masked=true new=${quoted}`,
      `1.0 - - quantum\x1b[31m.flip "irq/${HOSTILE.replace('\r', '').slice(2)}" a=${quoted}`,
      `1.0 - - irq.mask irq/7 masked=${HOSTILE.replaceAll(/[\r\u2028]/g, '')}`,
      `${HOSTILE} nonsense`,
    ];
    writeFileSync(at('hostile.irqtrace'), `${lines.join('\n')}\n`);
    const workload = [{ at: '1us', op: 'device.raise', object: 'device/0000:03:00.0/msix/0' }];
    const devices = [{ bdf: '0000:03:00.0', name: `n${HOSTILE}`, vectors: 1 }];
    writeFileSync(at('s.scenario.json'), JSON.stringify({ title: HOSTILE, description: HOSTILE, devices, workload }));
    writeFileSync(
      at('op.scenario.json'),
      JSON.stringify({ title: 't', description: 'd', workload: [{ at: 0, op: HOSTILE }] }),
    );
    writeFileSync(at('key.scenario.json'), JSON.stringify({ title: 't', description: 'd', [HOSTILE]: 1 }));
    writeFileSync(at('no.scenario.json'), `{"title": "${HOSTILE}`);
    copyFileSync(at('hostile.irqtrace'), at(`x${HOSTILE}.irqtrace`));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const commands: Record<string, () => string[]> = {
    'info of a trace': () => ['info', at('hostile.irqtrace')],
    'info as JSON': () => ['info', at('hostile.irqtrace'), '--json'],
    events: () => ['events', at('hostile.irqtrace')],
    'events as JSON': () => ['events', at('hostile.irqtrace'), '--json'],
    state: () => ['state', at('hostile.irqtrace'), '--at', '0'],
    'state as JSON': () => ['state', at('hostile.irqtrace'), '--at', 'end', '--json'],
    history: () => ['history', at('hostile.irqtrace'), 'irq/7'],
    'history of nothing': () => ['history', at('hostile.irqtrace'), `irq/${HOSTILE}`],
    'a file name': () => ['info', at(`x${HOSTILE}.irqtrace`)],
    'a file that is not there': () => ['info', `missing${HOSTILE}`],
    'two files, one not there': () => ['info', at('hostile.irqtrace'), `missing${HOSTILE}`],
    'a command': () => [`cmd${HOSTILE}`],
    'an option': () => ['info', `--o${HOSTILE}`],
    'a place': () => ['state', example, '--at', `1${HOSTILE}`],
    'a filter': () => ['events', example, '--filter', `kind == ${HOSTILE}`],
    'a scenario': () => ['simulate', at('s.scenario.json')],
    'a scenario as JSON': () => ['simulate', at('s.scenario.json'), '--json'],
    'a trace on standard output': () => ['simulate', at('s.scenario.json'), '--out', '-'],
    'an operation': () => ['simulate', at('op.scenario.json')],
    'a key of a scenario': () => ['simulate', at('key.scenario.json')],
    'a scenario that is no JSON': () => ['simulate', at('no.scenario.json')],
    'a policy': () => ['simulate', 'first-run', '--set', `p${HOSTILE}=1`],
    'an output file': () => ['simulate', 'first-run', '--out', at(`out${HOSTILE}`)],
    'escape-in-title.scenario.json': () => ['simulate', 'test/fixtures/cases/escape-in-title.scenario.json'],
  };
  for (const [name, args] of Object.entries(commands))
    it(`is written out: ${name}`, async () => {
      const { status, out, err } = await irqscope(args());
      assert.ok(status === 0 || status === 2, err);
      assert.doesNotMatch(out, ACTS);
      assert.doesNotMatch(err, ACTS);
      if (status === 2) assert.match(err, /^[^\n]+\n$/);
      assert.doesNotMatch(err, /internal error/);
    });

  it('is the same text in JSON', async () => {
    const { out } = await irqscope(['events', at('hostile.irqtrace'), '--json']);
    const [mark, mask] = out.split('\n').map((line) => line && JSON.parse(line)) as {
      fields: Record<string, string>;
    }[];
    assert.equal(mark!.fields['text'], `a${HOSTILE}b`);
    assert.equal(mask!.fields['new'], `a${HOSTILE}b`);
    const measures = JSON.parse((await irqscope(['simulate', at('s.scenario.json'), '--json'])).out) as {
      title: string;
    };
    assert.equal(measures.title, HOSTILE);
  });

  it('runs again from the trace that holds it', async () => {
    const [first, again] = [at('first.irqtrace'), at('again.irqtrace')];
    await irqscope(['simulate', at('s.scenario.json'), '--out', first]);
    assert.equal((await irqscope(['simulate', first, '--out', again])).status, 0);
    assert.ok(readFileSync(first).equals(readFileSync(again)));
  });
});

describe('the parts that write control characters out', () => {
  it('leave nothing that a terminal acts on, and everything else', () => {
    const all = Array.from({ length: 0x3000 }, (_, i) => String.fromCharCode(i)).join('');
    assert.doesNotMatch(shown(all), /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
    assert.doesNotMatch(shownLines(all), ACTS);
    const json = JSON.stringify({ [all]: all }, null, 2);
    assert.doesNotMatch(shownJson(json), ACTS);
    assert.deepEqual(JSON.parse(shownJson(json)), { [all]: all });
    assert.equal(shown('é 漢 ü\u00a0'), 'é 漢 ü\u00a0');
    assert.equal(shown('a\x1b\u202e\n'), 'a\\x1b\\u202e\\x0a');
  });
});
