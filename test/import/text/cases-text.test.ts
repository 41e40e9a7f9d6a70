// Pieces of trace text as people paste them: wrapped in marks, prefixes, escapes and prose. The right answers are those of the
// plain text, counted by hand.
// Over 400 lines: one table of the cases, kind by kind.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImportError } from '../../../src/import/run.ts';
import { eventText } from '../../../src/query/events.ts';
import { type TraceInfo, traceInfo } from '../../../src/query/info.ts';
import { stateTree } from '../../../src/query/state.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importBytes, importText } from '../../helpers/fixtures.ts';

const bytesOf = (file: string): Uint8Array => readFileSync(join(import.meta.dirname, '../../fixtures/cases', file));

function load(file: string): { trace: Trace; info: TraceInfo } {
  const bytes = bytesOf(file);
  const trace = importBytes(bytes, undefined, file);
  assert.deepEqual(checkIntegrity(trace), []);
  // Whatever the chunks are, the result is the same.
  assert.deepEqual(eventsOf(importBytes(bytes, 7, file)), eventsOf(trace), `${file} in chunks of 7`);
  return { trace, info: traceInfo(trace) };
}

const eventsOf = (trace: Trace): string[] => Array.from({ length: trace.length }, (_, step) => eventText(trace, step));
const stateOf = (trace: Trace, step = trace.length - 1): string => JSON.stringify(stateTree(trace.stateAt(step)));

/** Values of the state at the end, or after line N, by path. */
function at(trace: Trace, path: string, line?: number): unknown {
  const step = line === undefined ? trace.length - 1 : trace.lastAtLine(line);
  let node: unknown = stateTree(trace.stateAt(step));
  for (const key of path.split('/')) node = (node as Record<string, unknown> | undefined | null)?.[key];
  return node;
}

const FTRACE = load('ftrace-plain.txt');
const QEMU = load('qemu-plain.log');

describe('text as it is pasted', () => {
  it('the plain texts have the records and the state that can be read off them', () => {
    assert.deepEqual([FTRACE.info.records, FTRACE.trace.length, FTRACE.info.undone], [3, 5, []]);
    assert.deepEqual([at(FTRACE.trace, 'irq/19/name'), at(FTRACE.trace, 'irq/19/handled')], ['IPI', 1]);
    assert.deepEqual([QEMU.info.records, QEMU.info.undone], [6, []]);
    assert.deepEqual(
      ['used', 'virq'].map((key) => at(QEMU.trace, `vfio/0000:81:00.1/2/0/${key}`)),
      [true, 24],
    );
  });

  const ftrace: Record<string, string[]> = {
    'ftrace-ansi.txt': ['ansi'],
    'ftrace-catn.txt': ['line-numbers'],
    'ftrace-dmesgprefix.txt': ['prefix:dmesg'],
    'ftrace-html-escaped.html': ['json-escaped'],
    'ftrace-journal.txt': ['prefix:journal'],
    'ftrace-nbsp.txt': ['nbsp'],
    'ftrace-quoted.txt': ['quoted'],
    'ftrace-tabs.txt': ['indented'],
  };
  const qemu: Record<string, string[]> = {
    'qemu-docker.log': ['prefix:docker'],
    'qemu-gha.log': ['prefix:github-actions'],
    'qemu-indent1.log': ['indented'],
    'qemu-journal.log': ['prefix:journal'],
    'qemu-journal-iso.log': ['prefix:journal'],
    'qemu-libvirt.log': [],
    'qemu-mixedindent.log': ['indented'],
    'qemu-onespace.log': [],
    'qemu-quoted.log': ['quoted'],
    'qemu-tab.log': ['indented'],
    'qemu-tidspace.log': [],
  };
  for (const [files, plain] of [
    [ftrace, FTRACE],
    [qemu, QEMU],
  ] as const) {
    for (const [file, undone] of Object.entries(files)) {
      it(`${file}: the same events and state as the plain text`, () => {
        const { trace, info } = load(file);
        assert.deepEqual(eventsOf(trace), eventsOf(plain.trace));
        assert.equal(stateOf(trace), stateOf(plain.trace));
        assert.deepEqual([info.records, info.understood], [plain.info.records, plain.info.understood]);
        assert.deepEqual(info.undone, undone);
      });
    }
  }
});

/** Ways in which a text is wrapped, made of any lines, and what is undone. */
const WRAPPINGS: Record<string, [wrap: (lines: readonly string[]) => string, undone: string[]]> = {
  'quoted twice': [(lines) => lines.map((l) => `> > ${l}\n`).join(''), ['quoted']],
  'quoted without a blank': [(lines) => lines.map((l) => `>>${l}\n`).join(''), ['quoted']],
  'quoted with a bar': [(lines) => lines.map((l) => `| ${l}\n`).join(''), ['quoted']],
  'a code fence': [(lines) => `Here it is:\n\n\`\`\`console\n${lines.join('\n')}\n\`\`\`\nThanks\n`, ['code-fence']],
  'CR LF and a byte order mark': [(lines) => `\ufeff${lines.join('\r\n')}\r\n`, ['bom', 'crlf']],
  'colours inside': [
    (lines) => lines.map((l) => `${l.replace(/(\w+_\w+)/, '\u001b[01;31m\u001b[K$1\u001b[m\u001b[K')}\n`).join(''),
    ['ansi'],
  ],
  'colours as cat -v shows them': [(lines) => lines.map((l) => `^[[36m${l}^[[0m\n`).join(''), ['ansi']],
  'a web page': [
    (lines) =>
      `<!DOCTYPE html>\n<html><body><pre>\n${lines
        .map((l) => l.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'))
        .join('\n')}\n</pre></body></html>\n`,
    ['html'],
  ],
  'a JSON string': [(lines) => `${JSON.stringify({ text: `${lines.join('\n')}\n`, n: 1 })}\n`, ['json-escaped']],
  'a JSON array of lines': [(lines) => `${JSON.stringify(lines, null, 2)}\n`, ['json-escaped']],
  'lines of HTML behind one another': [
    (lines) =>
      `<p>${lines.map((l) => l.replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('  ', '&nbsp; ')).join('<br>')}</p>\n`,
    ['html'],
  ],
  'one JSON object a line': [
    (lines) => lines.map((l) => `${JSON.stringify({ log: `${l}\n`, stream: 'stderr' })}\n`).join(''),
    ['json-escaped'],
  ],
  'comment marks of C': [(lines) => lines.map((l) => `// ${l}\n`).join(''), ['commented']],
  'a comment block': [(lines) => `/*\n${lines.map((l) => ` * ${l}\n`).join('')} */\n`, ['commented']],
  'lines that a diff adds': [(lines) => lines.map((l) => `+${l}\n`).join(''), ['diff']],
  'dmesg with caller': [
    (lines) => lines.map((l, i) => `[   12.00000${i}][   T${i}1] ${l}\n`).join(''),
    ['prefix:dmesg'],
  ],
  'dmesg -T': [(lines) => lines.map((l) => `[Thu Oct 22 08:54:51 2020] ${l}\n`).join(''), ['prefix:dmesg']],
  'journalctl -o short-full': [
    (lines) => lines.map((l) => `Thu 2024-07-11 08:26:30 UTC host-a prog[77]: ${l}\n`).join(''),
    ['prefix:journal'],
  ],
  'journalctl -o short-iso-precise': [
    (lines) => lines.map((l) => `2024-07-11T08:26:30.123456+0200 host prog[77]: ${l}\n`).join(''),
    ['prefix:journal'],
  ],
  'journalctl -o short-precise': [
    (lines) => lines.map((l) => `Jul 11 08:26:30.123456 host prog[77]: ${l}\n`).join(''),
    ['prefix:journal'],
  ],
  'journalctl -o short-monotonic': [
    (lines) => lines.map((l) => `[ 1234.567890] host prog[77]: ${l}\n`).join(''),
    ['prefix:journal'],
  ],
  'journalctl -o short-unix': [
    (lines) => lines.map((l) => `1720686390.123456 host prog[77]: ${l}\n`).join(''),
    ['prefix:journal'],
  ],
  'syslog, RFC 3164': [
    (lines) => lines.map((l) => `<30>Jul 11 08:26:30 host prog[77]: ${l}\n`).join(''),
    ['prefix:syslog'],
  ],
  'syslog, RFC 5424': [
    (lines) => lines.map((l) => `<30>1 2024-07-11T08:26:30.123456+00:00 host prog 77 ID [a b="c"] ${l}\n`).join(''),
    ['prefix:syslog'],
  ],
  'GitLab CI': [(lines) => lines.map((l) => `2024-07-11T08:26:30.123456Z 01O ${l}\n`).join(''), ['prefix:gitlab']],
  'Jenkins with time stamps': [
    (lines) => lines.map((l) => `[2024-07-11T08:26:30.123Z] ${l}\n`).join(''),
    ['prefix:jenkins'],
  ],
  'a pod of Kubernetes': [
    (lines) => lines.map((l) => `2024-07-11T08:26:30.123456789Z stdout F ${l}\n`).join(''),
    ['prefix:kubernetes'],
  ],
  'docker compose': [(lines) => lines.map((l) => `vm-host_1  | ${l}\n`).join(''), ['prefix:docker']],
  'gh run view --log': [
    (lines) => lines.map((l) => `build\tRun tests\t2024-07-11T08:26:30.1234567Z ${l}\n`).join(''),
    ['prefix:github-actions'],
  ],
  'grep -n': [(lines) => lines.map((l, i) => `${i + 10}:${l}\n`).join(''), ['line-numbers']],
  'grep -n of several files': [
    (lines) => lines.map((l, i) => `logs/a.txt:${i + 10}:${l}\n`).join(''),
    ['line-numbers'],
  ],
};

describe('wrappings of every kind', () => {
  const texts = {
    'ftrace-plain.txt': FTRACE,
    'qemu-plain.log': QEMU,
  };
  for (const [name, [wrap, undone]] of Object.entries(WRAPPINGS)) {
    for (const [file, plain] of Object.entries(texts)) {
      it(`${name}: ${file}`, () => {
        const lines = new TextDecoder().decode(bytesOf(file)).trimEnd().split('\n');
        const trace = importText(wrap(lines));
        assert.deepEqual(checkIntegrity(trace), []);
        assert.deepEqual(eventsOf(trace), eventsOf(plain.trace));
        const info = traceInfo(trace);
        assert.deepEqual(info.skipped, {});
        for (const word of undone) assert.ok(info.undone.includes(word), `${word} in ${info.undone}`);
      });
    }
  }
});

describe('records that a mail program broke', () => {
  it('ftrace-wrapped.txt', () => {
    const { trace, info } = load('ftrace-wrapped.txt');
    assert.deepEqual([info.records, info.understood, info.lines], [3, 3, 6]);
    assert.deepEqual(info.undone, ['wrapped']);
    assert.deepEqual([at(trace, 'irq/82/vector'), at(trace, 'irq/82/cpu')], [37, 3]);
    assert.equal(at(trace, 'irq/82/cpu', 4), null);
  });

  it('oops-dump-wrapped.txt', () => {
    const { trace, info } = load('oops-dump-wrapped.txt');
    assert.deepEqual([info.records, info.understood, info.skipped], [5, 5, {}]);
    assert.deepEqual([at(trace, 'irq/42/vector'), at(trace, 'irq/42/cpu')], [52, 0]);
  });

  it('kvm-marks-wrapped.txt', () => {
    const { trace, info } = load('kvm-marks-wrapped.txt');
    assert.deepEqual([info.records, info.skipped], [19, {}]);
    const marks = eventsOf(trace).filter((e) => e.startsWith('mark '));
    assert.equal(marks.length, 2);
    assert.match(marks[0]!, /pckbd_kbd_update_irq kbd=0 aux=1$/);
  });

  it('rt-7-flags-wrapped.txt', () => {
    const { info } = load('rt-7-flags-wrapped.txt');
    assert.deepEqual([info.records, info.understood], [4, 4]);
  });

  for (const [name, text] of Object.entries({
    'quoted and wrapped':
      '> worker-10 [001] d..1. 10.000003: vector_config: irq=82\n> vector=37 cpu=3 apicdest=0x00000006\n',
    'wrapped into three lines':
      'worker-10 [001] d..1. 10.000003:\nvector_config: irq=82 vector=37\ncpu=3 apicdest=0x00000006\n',
    'broken in a word':
      'worker-10 [001] d..1. 10.000003: vector_config: irq=82 vector=37 cpu=3 apicd\nest=0x00000006\n',
  })) {
    it(name, () => {
      const trace = importText(`${text}\nThat is all.\n`);
      assert.deepEqual([at(trace, 'irq/82/vector'), at(trace, 'irq/82/cpu')], [37, 3]);
      const info = traceInfo(trace);
      assert.deepEqual([info.records, info.understood, info.skipped], [1, 1, {}]);
      assert.ok(info.undone.includes('wrapped'));
    });
  }

  it('prose behind a record stays prose', () => {
    const info = traceInfo(importText(`${FTRACE_LINE}\nand nothing more came.\n`));
    assert.deepEqual([info.records, info.understood, info.skipped, info.undone], [1, 1, {}, []]);
    assert.deepEqual(info.others, { text: 1 });
  });
});

const FTRACE_LINE = '          <idle>-0       [001] d.h.   10.000001: irq_handler_entry: irq=19 name=eth0';

describe('what stands behind and between', () => {
  it('its-annotated.log', () => {
    const { trace, info } = load('its-annotated.log');
    assert.deepEqual([info.records, info.understood, info.undone], [2, 2, ['tail']]);
    assert.equal(at(trace, 'its/0/device/0x10/valid', 1), true);
    assert.equal(at(trace, 'its/0/device/0x10/itt', 1), '0x10f0a2000');
    assert.equal(at(trace, 'its/0/device/0x10/valid'), false);
  });

  it('its-annotated-arrows.txt', () => {
    const { trace, info } = load('its-annotated-arrows.txt');
    assert.deepEqual([info.records, info.understood], [6, 6]);
    assert.equal(at(trace, 'its/0/device/0x10/valid', 2), false);
    assert.equal(at(trace, 'its/0/device/0x10/valid'), true);
    assert.equal(at(trace, 'its/0/device/0x10/itt'), '0x10e313000');
  });

  it('nvme-msix-annotated.log: made-up prefixes, stamps cut short, remarks', () => {
    const { trace, info } = load('nvme-msix-annotated.log');
    assert.ok(info.understood >= 12, `${info.understood}`);
    const raised = Array.from({ length: trace.length }, (_, step) => step)
      .filter((step) => trace.table.line(step) === 13)
      .map((step) => eventText(trace, step));
    assert.ok(
      raised.some((text) => /^dev\.raise \S+ vector=6$/.test(text)),
      raised.join('\n'),
    );
  });

  it('rt-latency-annotated.txt: records of unknown events behind one that has a remark', () => {
    const { trace, info } = load('rt-latency-annotated.txt');
    assert.deepEqual([info.records, info.understood, info.skipped], [5, 1, {}]);
    assert.equal(at(trace, 'cpu/1/vector/236/entries'), 1);
  });

  it('vfio-side-by-side.log: the left column is read', () => {
    const { info } = load('vfio-side-by-side.log');
    assert.ok(info.understood >= 13, `${info.understood}`);
    assert.ok(info.undone.includes('tail'));
  });

  it('ftrace-in-prose.txt: prose is no bad record', () => {
    const { info } = load('ftrace-in-prose.txt');
    assert.deepEqual([info.records, info.lines, info.skipped], [1, 4, {}]);
  });

  it('qemu-behind-console.log: the first lines do not decide', () => {
    const { trace, info } = load('qemu-behind-console.log');
    assert.deepEqual([info.format, info.records], ['qemu-log', 1]);
    assert.equal(at(trace, 'its/0/device/0x10/valid'), true);
  });

  it('a log in front of zeros, as a preallocated file has them', () => {
    const text = `${FTRACE_LINE}\n`;
    const bytes = new Uint8Array(text.length + 10_000);
    bytes.set(new TextEncoder().encode(text));
    assert.equal(traceInfo(importBytes(bytes)).records, 1);
  });

  it('blank lines are counted by the million', () => {
    const trace = importText(`${FTRACE_LINE}\n${'\n'.repeat(3_000_000)}${FTRACE_LINE}\n`);
    const info = traceInfo(trace);
    assert.deepEqual([info.records, info.lines, info.others], [2, 3_000_002, { blank: 3_000_000 }]);
    assert.equal(trace.table.line(trace.length - 1), 3_000_002);
    assert.equal(trace.table.offset(trace.length - 1), FTRACE_LINE.length + 1 + 3_000_000);
  });

  it('a dump behind 50,000 lines of a kernel log', () => {
    const boot = Array.from({ length: 50_000 }, (_, i) => `[    ${i % 10}.000001] pci 0000:00:01.0: BAR 0: assigned\n`);
    const dump = `[   60.000001] Dumping ftrace buffer:\n[   60.000002] modprobe-1348    0d... 20444238us : vector_config: irq=42 vector=52 cpu=0 apicdest=0x00000001\n`;
    const trace = importText(boot.join('') + dump);
    assert.equal(traceInfo(trace).records, 1);
    assert.equal(at(trace, 'irq/42/vector'), 52);
  });

  it('kvm-two-excerpts.txt: each excerpt is a source, in the order of time', () => {
    const { trace, info } = load('kvm-two-excerpts.txt');
    assert.equal(info.records, 15);
    assert.equal(info.sources?.length, 2);
    assert.deepEqual([info.start, info.end], ['1466230.357478', '1466862.728809']);
    const times = Array.from({ length: trace.length }, (_, step) => trace.table.time(step));
    assert.deepEqual(
      [...times].sort((a, b) => a - b),
      times,
    );
    // A line is one of the file, whichever source it belongs to.
    assert.equal(trace.table.line(trace.lastAtLine(3)), 3);
    assert.equal(trace.table.line(trace.lastAtLine(17)), 17);
  });

  it('other-both.txt: two formats in one text', () => {
    const { info } = load('other-both.txt');
    assert.deepEqual([info.records, info.understood, info.skipped], [4, 4, {}]);
    assert.deepEqual(
      info.sources?.map(({ format, records }) => [format, records]),
      [
        ['ftrace-text', 2],
        ['qemu-log', 2],
      ],
    );
  });

  it('nvme-irqfd-quoted.txt', () => {
    const { trace, info } = load('nvme-irqfd-quoted.txt');
    assert.equal(info.records, 26);
    assert.ok(info.understood >= 20);
    assert.deepEqual(info.skipped, {});
    assert.deepEqual([at(trace, 'kvm/0/route/0/device'), at(trace, 'kvm/0/route/0/vector')], ['nvme', 1]);
  });

  it('vectors-quoted.txt', () => {
    const { trace, info } = load('vectors-quoted.txt');
    assert.equal(info.records, 6);
    assert.deepEqual([at(trace, 'irq/4/vector'), at(trace, 'irq/4/cpu')], [33, 1]);
  });

  it('virtio-quoted.txt', () => assert.equal(load('virtio-quoted.txt').info.records, 6));

  it('ftrace-behind-hash.txt', () => {
    const { trace, info } = load('ftrace-behind-hash.txt');
    assert.equal(info.records, 4);
    assert.equal(at(trace, 'irq/189/handled'), 1);
  });

  it('systrace-escaped.html', () => {
    const { trace, info } = load('systrace-escaped.html');
    assert.equal(info.records, 2);
    assert.equal(at(trace, 'irq/19/name'), 'eth0');
  });

  it('qemu-half-indented.log', () => {
    const { trace, info } = load('qemu-half-indented.log');
    assert.equal(info.records, 3);
    assert.equal(at(trace, 'vfio/0000:81:00.1/2/0/used', 2), true);
  });

  it('iso-journal-qemu.txt', () => {
    const { trace, info } = load('iso-journal-qemu.txt');
    assert.equal(info.records, 2);
    assert.equal(at(trace, 'vfio/0000:81:00.1/2/0/used'), true);
  });

  it('journal-kvm.txt: a prefix that changes makes no other thread', () => {
    const { trace, info } = load('journal-kvm.txt');
    assert.equal(info.records, 3);
    assert.equal(at(trace, 'vcpu/0/inGuest', 1), true);
    assert.equal(at(trace, 'vcpu/0/inGuest'), false);
    assert.equal(at(trace, 'vcpu/0/exits'), 1);
    assert.notEqual(at(trace, 'vcpu/0/vector/209'), undefined);
  });
});

describe('tp_printk', () => {
  it('an event behind the stamp of the kernel log: the stamp is its time, a caller on a CPU its CPU', () => {
    const trace = importText(
      '[   12.345678][   C3] irq_handler_entry: irq=19 name=eth0\n[   12.345680][  T77] irq_handler_exit: irq=19 ret=handled\n',
    );
    const info = traceInfo(trace);
    assert.deepEqual([info.records, info.start, info.end], [2, '12.345678', '12.345680']);
    assert.equal(at(trace, 'irq/19/handled'), 1);
    assert.equal(trace.table.cpu(trace.lastAtLine(1)), 3);
    assert.equal(trace.table.cpu(trace.lastAtLine(2)), -1);
    assert.deepEqual(info.undone, ['prefix:tp_printk']);
  });
});

describe('texts of a trace', () => {
  it('may look like HTML, where the file is none', () => {
    const text = (name: string): string => FTRACE_LINE.replace('eth0', name);
    const trace = importText(`Here:\n${text('<b>acpi</b> &amp;')}\n${text('<br>')}`);
    const names = eventsOf(trace).filter((event) => event.startsWith('irq.entry'));
    assert.deepEqual(names, ['irq.entry irq/19 name=<b>acpi</b> &', 'irq.entry irq/19 name=<br>']);
  });
});

describe('quoted-printable', () => {
  it('vtd-split-quoted-printable.txt', () => {
    const { info } = load('vtd-split-quoted-printable.txt');
    assert.deepEqual([info.records, info.skipped], [25, {}]);
    assert.ok(info.undone.includes('quoted-printable'));
  });

  it('vfio-hot-reset-quoted-printable.txt', () => {
    const { info } = load('vfio-hot-reset-quoted-printable.txt');
    assert.deepEqual([info.records, info.skipped], [26, {}]);
    assert.ok(info.understood >= 24);
  });

  it('xhci-quoted-printable.log', () => assert.equal(load('xhci-quoted-printable.log').info.records, 16));

  it('other-mail.eml', () => {
    const { trace, info } = load('other-mail.eml');
    assert.equal(info.records, 5);
    assert.equal(at(trace, 'vfio/0000:81:00.1/2/0/used'), true);
  });

  it('an empty line ends a line that is continued', () => {
    const mail = (text: string): string => `Content-Transfer-Encoding: quoted-printable\n\n${text}`;
    const trace = importText(
      mail('vfio_msix_enable  (0000:81:00.1)=\n\n\nvfio_msix_vector_do_use  (0000:81:00.1) vector 0 u=\nsed\n'),
    );
    const info = traceInfo(trace);
    assert.deepEqual([info.records, info.understood, info.lines], [2, 2, 7]);
    assert.equal(at(trace, 'vfio/0000:81:00.1/2/0/used'), true);
  });

  it('a text that only has equals signs is not decoded', () => {
    const line = 'worker-10 [001] d..1. 10.000003: vector_config: irq=19 vector=37 cpu=3 apicdest=0x00000006';
    const trace = importText(`${line}\n`);
    assert.equal(at(trace, 'irq/19/vector'), 37);
    assert.deepEqual(traceInfo(trace).undone, []);
  });
});

describe('what is no trace is named', () => {
  const kinds: Record<string, RegExp> = {
    'other-iso-app.txt': /no line of it is a trace record/,
    'simpletrace.txt': /simpletrace/,
    'other-cloudhv.txt': /no line of it is a trace record/,
    'other-lttng.txt': /LTTng/,
    'other-strace.txt': /strace/,
  };
  for (const [file, answer] of Object.entries(kinds)) {
    it(file, () => {
      assert.throws(
        () => importBytes(bytesOf(file)),
        (error) => error instanceof ImportError && answer.test(error.message) && !error.message.includes('\n'),
      );
    });
  }
});
