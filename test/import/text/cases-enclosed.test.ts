// Records with marks on both sides, behind prefixes of any kind, and broken by terminals: tables, log tools, strings in strings, screens.
// The right answers are those of the plain text, and counts that can be read off it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImportError } from '../../../src/import/run.ts';
import { eventText } from '../../../src/query/events.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { stateTree } from '../../../src/query/state.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importText } from '../../helpers/fixtures.ts';

const linesOf = (file: string): string[] =>
  readFileSync(join(import.meta.dirname, '../../fixtures/cases', file), 'utf8')
    .trimEnd()
    .split('\n');

/** Records of events that are known, and of one that is not. */
const TEXTS: Record<string, readonly string[]> = {
  'ftrace-plain.txt': linesOf('ftrace-plain.txt'),
  'qemu-plain.log': linesOf('qemu-plain.log'),
  'events that are not known': [
    '              dd-90      [000] d.h1.     4.125876: irq_handler_entry: irq=33 name=nvme0q1',
    '              dd-90      [000] d.h1.     4.125879: made_up_event: 259,0 RA 0 () 1024 + 256',
    '              dd-90      [000] d.h1.     4.125881: irq_handler_exit: irq=33 ret=handled',
    '              dd-90      [000] .....     4.125884: made_up_event: [dd] 1',
  ],
  'threads and stamps': [
    "18520@1795148463.251428:memory_region_ops_write cpu 0 mr 0x55d addr 0xfee00070 value 0x4 size 4 name 'apic-msi'",
    '18520@1795148463.251429:made_up_event a "b" c',
  ],
};

const quotedCell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const escaped = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
const each =
  (wrap: (line: string, i: number) => string) =>
  (lines: readonly string[]): string =>
    lines.map((line, i) => `${wrap(line, i)}\n`).join('');
const columns = (width: number) => (lines: readonly string[]) =>
  lines.flatMap((line) => line.match(new RegExp(`.{1,${width}}`, 'g'))!.map((part) => `${part}\n`)).join('');

const WRAPPINGS: Record<string, [wrap: (lines: readonly string[]) => string, undone: string]> = {
  'a column of a table (CSV)': [each((l, i) => `2026-11-26T09:00:0${i}.000Z,host7,${quotedCell(l)}`), 'prefix:text'],
  'a table (CSV) of quoted cells': [
    each((l, i) => `"2026-11-26T09:00:0${i}Z","host7",${quotedCell(l)}`),
    'prefix:text',
  ],
  'the first column of a table': [each((l) => `${quotedCell(l)},host7`), 'enclosed'],
  'a column of a table, of lines with prefixes': [
    each((l, i) => `2026-11-26T09:00:0${i}.000Z,host7,${quotedCell(`[   12.00000${i}][   T${i}1] ${l}`)}`),
    'prefix:text',
  ],
  'logfmt of lines with prefixes': [
    each((l, i) => `level=info msg=${escaped(`Nov 26 09:00:0${i} host7 kernel: ${l}`)}`),
    'prefix:text',
  ],
  'quoted back quotes of lines with prefixes': [each((l) => `> \`: ${l}\``), 'prefix:text'],
  'a table of Markdown, of lines with prefixes': [each((l) => `| 09:00 vm-1 compute ${l} |`), 'prefix:text'],
  'columns between semicolons': [each((l, i) => `2026-11-26 09:00:0${i};host7;${quotedCell(l)}`), 'prefix:text'],
  'columns between tabs': [each((l, i) => `2026-11-26T09:00:0${i}.000Z\thost7\t${l}`), 'prefix:text'],
  'a list of YAML': [each((l) => `  - ${escaped(l)}`), 'enclosed'],
  'strings of Python': [
    each((l) => (l.includes("'") ? `    "${l.replaceAll('"', '\\"')}",` : `    '${l}',`)),
    'enclosed',
  ],
  logfmt: [each((l, i) => `time="2026-11-26T09:00:0${i}Z" level=info msg=${escaped(l)}`), 'prefix:text'],
  'a list of JSON objects in YAML': [
    each((l) => `- {"dt": "2026-11-26T09:00:00.1", "msg": ${JSON.stringify(l)}}`),
    'prefix:text',
  ],
  'back quotes': [each((l) => `\`${l}\``), 'enclosed'],
  'quoted back quotes': [each((l) => `> \`${l}\``), 'enclosed'],
  'typographic quotes': [each((l) => `\u201c${l}\u201d`), 'enclosed'],
  bold: [each((l) => `**${l}**`), 'enclosed'],
  'a table of Markdown': [each((l) => `| ${l} |`), 'quoted'],
  'line breaks of Markdown': [each((l) => `${l}\\`), 'tail'],
  'two blanks behind each line': [each((l) => `${l}  `), ''],
  'a numbered list': [each((l, i) => `${i + 1}. ${l}`), 'line-numbers'],
  'a block of Jira': [(lines) => `{code:java}${lines[0]}\n${each((l) => l)(lines.slice(1))}{code}\n`, 'code-fence'],
  'a quote of Jira': [(lines) => `bq. ${each((l) => l)(lines)}`, 'quoted'],
  'stamps of Buildkite': [each((l, i) => `\u001b_bk;t=179514909400${i}\u0007${l}`), 'ansi'],
  'numbered lines of a web page': [
    (lines) =>
      `<!DOCTYPE html><div>\n${each((l, i) => `<a href="#L${i}">${i}</a><span>${l.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</span>`)(lines)}</div>\n`,
    'html',
  ],
  log4j: [each((l, i) => `2026-11-26 09:00:0${i},123 INFO  [main] c.e.Q - ${l}`), 'prefix:text'],
  'a word and a unit': [each((l) => `vm-1 compute ${l}`), 'prefix:text'],
  '/dev/kmsg': [each((l, i) => `6,${1000 + i},${i}00000,-;${l}`), 'prefix:text'],
  'journalctl -o verbose': [each((l) => `    _COMM=qemu\n    MESSAGE=${l}`), 'prefix:text'],
  'lines of bat': [each((l, i) => `   ${i + 1} \u2502 ${l}`), 'prefix:text'],
  'strings within strings of JSON': [
    (lines) => `${JSON.stringify({ log: JSON.stringify({ msg: `${lines.join('\n')}\n` }) })}\n`,
    'json-escaped',
  ],
  'what Grafana exports': [
    (lines) =>
      `${JSON.stringify(
        lines.map((line) => ({ line, fields: { job: 'qemu' }, date: '2026-11-26' })),
        null,
        2,
      )}\n`,
    'json-escaped',
  ],
  'a terminal of 80 columns': [columns(80), 'wrapped'],
  'a quoted terminal of 64 columns': [
    (lines) => each((l) => `> ${l}`)(columns(64)(lines).trimEnd().split('\n')),
    'wrapped',
  ],
  'a byte order mark in the middle': [(lines) => `${lines[0]}\n\ufeff${each((l) => l)(lines.slice(1))}`, 'bom'],
};

const seen = (trace: Trace): unknown => [
  Array.from({ length: trace.length }, (_, step) => eventText(trace, step)),
  Array.from({ length: trace.length }, (_, step) => trace.table.task(step)).length,
  stateTree(trace.head),
];

describe('marks on both sides, prefixes of any kind, terminals', () => {
  for (const [text, lines] of Object.entries(TEXTS)) {
    const plain = importText(each((l) => l)(lines));
    const { records, understood, unknown } = traceInfo(plain);
    for (const [name, [wrap, undone]] of Object.entries(WRAPPINGS)) {
      // Where no line is longer than the screen, or no two lines are, nothing shows its width.
      if (name.includes('terminal') && text === 'qemu-plain.log') continue;
      it(`${name}: ${text}`, () => {
        const trace = importText(wrap(lines));
        assert.deepEqual(checkIntegrity(trace), []);
        assert.deepEqual(seen(trace), seen(plain));
        const info = traceInfo(trace);
        assert.deepEqual(
          { records: info.records, understood: info.understood, unknown: info.unknown, skipped: info.skipped },
          { records, understood, unknown, skipped: {} },
        );
        if (undone !== '') assert.ok(info.undone.includes(undone), `${undone} in ${info.undone}`);
      });
    }
  }

  it('what stands behind `handled` does not make it something else', () => {
    for (const [tail, handled] of [
      [' |', true],
      ['  // why?', true],
      [' <- here', true],
      ['led', null],
      ['x', null],
    ] as const)
      for (const [word, yes] of [
        ['handled', true],
        ['unhandled', false],
      ] as const) {
        const trace = importText(
          `          <idle>-0       [001] d.h.   460.750920: irq_handler_exit: irq=19 ret=${word}${tail}\n`,
        );
        const exits = Array.from({ length: trace.length }, (_, step) => eventText(trace, step)).filter((t) =>
          t.includes('irq.exit'),
        );
        assert.deepEqual(
          exits.map((t) => /handled=(\S+)/.exec(t)?.[1]),
          handled === null ? [] : [String(yes)],
          word + tail,
        );
        assert.equal(traceInfo(trace).understood, handled === null ? 0 : 1);
      }
  });

  it('a prefix is no part of the name of a task, though it fits into 16 columns with it', () => {
    for (const mark of ['3. ', '02 ', "b'", '! ', ' * ', '\ufeff']) {
      const trace = importText(
        `${mark}  kworker/0:2-2827    [000] d..1. 76495.343456: vector_alloc: irq=82 vector=37 reserved=1 ret=0\n`,
      );
      const tasks = new Set(
        Array.from({ length: trace.length }, (_, step) => trace.world.strings.text(trace.table.task(step))),
      );
      assert.deepEqual([...tasks], ['kworker/0:2-2827'], JSON.stringify(mark));
    }
  });

  it('a record that was broken behind the CPU keeps its task and its CPU', () => {
    const trace = importText(
      '> Nov 26 09:00:00 host7 qemu[41]:           <idle>-0       [001]\n> d.h.   460.750920: irq_handler_entry: irq=19 name=IPI\n',
    );
    assert.equal(trace.table.cpu(trace.length - 1), 1);
    assert.deepEqual([traceInfo(trace).records, traceInfo(trace).lines], [1, 2]);
    assert.deepEqual(traceInfo(trace).undone, ['quoted', 'wrapped', 'prefix:journal']);
  });

  it('what a mail program broke off belongs to the record though the record is whole without it', () => {
    const head = '             CPU-7638  [004] 8446408.76262';
    const trace = importText(
      [
        `${head}0: kvm_exit: reason `,
        'EPT_VIOLATION rip 0xfff info 683 800000d1',
        `${head}1: kvm_page_fault: vcpu 0 rip `,
        '0xfff address 0x54200f80 error_code 0x683',
        `${head}1: kvm_inj_virq: IRQ 0xd1 `,
        '[reinjected]',
        `${head}2: kvm_entry: vcpu 0, rip `,
        '0xfff',
        '',
      ].join('\n'),
    );
    const events = Array.from({ length: trace.length }, (_, step) => eventText(trace, step)).join('\n');
    assert.match(events, /kvm\.exit .*reason=EPT_VIOLATION/);
    assert.match(events, /apic\.inj vcpu\/0\/vector\/209 .*reinjected=true/);
    const info = traceInfo(trace);
    assert.deepEqual([info.records, info.understood, info.lines, info.skipped], [4, 4, 8, {}]);
    assert.deepEqual(info.undone, ['wrapped']);
  });

  it('a record of the latency format that was broken behind its time is read', () => {
    const trace = importText(
      [
        '[   40.472425]   <idle>-0       0d...    0us : vector_clear: irq=15',
        'vector=63 cpu=0 prev_vector=0 prev_cpu=0',
        '',
        '[   40.548017]  kauditd-32      0d.h. 307277us :',
        'call_function_single_entry: vector=251',
        '',
      ].join('\n'),
    );
    assert.deepEqual([traceInfo(trace).records, traceInfo(trace).understood], [2, 2]);
    assert.match(eventText(trace, trace.length - 1), /vector\.entry cpu\/0\/vector\/251/);
  });

  it('source code that prints records is no trace', () => {
    const sources = [
      '@.str.45 = private constant [34 x i8] c"vfio_intx_interrupt  (%s) Pin %c\\0A\\00", align 1\n',
      '@.str.44 = private constant [47 x i8] c"%d@%zu.%06zu:vfio_intx_enable  (%s)\\0A\\00", align 1\n',
      '    qemu_log("vfio_intx_enable  (%s)" "\\n", name);\n',
      'vfio_msi_setup(const char *name, int pos) "%s PCI MSI CAP @0x%x"\n',
      '  sprintf(line, "irq_handler_exit: irq=%d ret=%s\\n", irq, "handled");\n',
    ];
    for (const text of sources) assert.throws(() => importText(text), ImportError, text);
  });

  it('a list of event names, and a buffer without events, are no traces', () => {
    assert.throws(() => importText('kvm_entry\nkvm_exit\nkvm_apic_ipi\npci_nvme_pci_reset\n'), /list of event names/);
    assert.throws(
      () => importText('# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:4\n'),
      /holds no event/,
    );
    const mail = 'From: a\nContent-Transfer-Encoding: base64\n\nICAgIHg=\n';
    assert.throws(
      () => importText(mail),
      (e: unknown) => e instanceof ImportError && /base64/.test(e.message),
    );
  });
});
