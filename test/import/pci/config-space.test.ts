// Config space as bytes: dumps of several tools, the file itself, setpci; and text against bytes of the same moment.
import assert from 'node:assert/strict';
import { ConfigSpace } from '../../../src/import/pci/space.ts';
import { traceInfo } from '../../../src/query/info.ts';
import { stateTree } from '../../../src/query/state.ts';
import { checkIntegrity } from '../../../src/trace/integrity.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { fixtureBytes, fixtureLines, fixtureTrace, importBytes, importText } from '../../helpers/fixtures.ts';
import { texts, wholly } from '../samples.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are JSON, looked at as users do.
type Json = any;

const devices = (trace: Trace): Json => (stateTree(trace.stateAt(trace.length - 1)) as Json).device;

/** The bytes that the hex dump of the first function of a fixture of lspci shows. */
function bytesOf(name: string): Uint8Array {
  const rows = fixtureLines(name).flatMap(({ text }) => /^[\da-f]{2,3}:((?: [\da-f]{2}){16})$/.exec(text)?.[1] ?? []);
  return Uint8Array.from(rows.join('').trim().split(' '), (byte) => Number.parseInt(byte, 16));
}

const hex = (n: number, width: number): string => n.toString(16).padStart(width, '0');
const PATH = '/sys/bus/pci/devices/0000:00:04.0/config';
/** Each prints a row of 16 bytes as a tool does. */
const TOOLS: Readonly<Record<string, (at: number, row: readonly string[]) => string>> = {
  'hexdump -C': (at, r) => `${hex(at, 8)}  ${r.slice(0, 8).join(' ')}  ${r.slice(8).join(' ')}  |................|`,
  'xxd -g1': (at, r) => `${hex(at, 8)}: ${r.join(' ')}  ................`,
  xxd: (at, r) => `${hex(at, 8)}: ${pairs(r, (a, b) => a + b)}  ................`,
  hexdump: (at, r) => `${hex(at, 7)} ${pairs(r, (a, b) => b + a)}`,
  'od -A x -t x1': (at, r) => `${hex(at, 6)} ${r.join(' ')}`,
  'od -t x1': (at, r) => `${at.toString(8).padStart(7, '0')} ${r.join(' ')}`,
  'od -A d -t x1z': (at, r) => `${String(at).padStart(7, '0')} ${r.join(' ')}  >................<`,
};
const pairs = (row: readonly string[], pair: (a: string, b: string) => string): string =>
  row.flatMap((byte, i) => (i % 2 === 0 ? [pair(byte, row[i + 1]!)] : [])).join(' ');

function dump(bytes: Uint8Array, tool: string): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += 16)
    rows.push(
      TOOLS[tool]!(
        at,
        Array.from(bytes.subarray(at, at + 16), (byte) => hex(byte, 2)),
      ),
    );
  return rows.join('\n');
}

describe('config space', () => {
  const e1000e = bytesOf('x86-vtd/snap-lspci-funcmasked.txt');
  // Text of the same capture: MSI-X: Enable+ Count=5 Masked+, table BAR 3 offset 0, PBA BAR 3 offset 0x2000, MSI at d0.
  const check = (trace: Trace, path: string): void => {
    const dev = devices(trace)[path];
    const { enable, fmask, size, tableBar, tableOffset, pbaBar, pbaOffset } = dev.msixcap;
    assert.deepEqual(
      [enable, fmask, size, tableBar, tableOffset, pbaBar, pbaOffset],
      [true, true, 5, 3, 0, 3, 0x2000],
      path,
    );
    assert.deepEqual([dev.msixAt, dev.msiAt, dev.vendor], ['0xa0', '0xd0', '0x10d38086']);
    assert.deepEqual([dev.command.memory, dev.command.busMaster, dev.msi.enable], [true, true, false]);
  };

  it('the bytes of the fixture are a whole config space', () => assert.equal(e1000e.length, 4096));

  for (const tool of Object.keys(TOOLS))
    it(`as ${tool} prints it`, () => {
      const { trace, info } = wholly(`# ${tool} ${PATH}\n${dump(e1000e.subarray(0, 256), tool)}\n`);
      assert.deepEqual([info.format, info.records], ['config-space', 16]);
      check(trace, '0000:00:04.0');
    });

  it('stars stand for rows like the one before', () => {
    const rows = dump(e1000e, 'hexdump -C').split('\n');
    const short: string[] = [];
    for (const [i, row] of rows.entries()) {
      if (i === 0 || row.slice(8) !== rows[i - 1]!.slice(8)) short.push(row);
      else if (short.at(-1) !== '*') short.push('*');
    }
    const { trace } = wholly(`== 0000:00:04.0\n${short.join('\n')}\n00001000\n`);
    check(trace, '0000:00:04.0');
    const whole = wholly(`== 0000:00:04.0\n${rows.join('\n')}\n`);
    assert.deepEqual(devices(trace), devices(whole.trace));
  });

  it('the file itself: 4096, 256 and 64 bytes, the function from the path', () => {
    for (const path of [
      `snapshot${PATH}`,
      'pci/0000:00:04.0/config',
      'config-0000:00:04.0.bin',
      '0000:00:04.0.config',
    ]) {
      const trace = importBytes(e1000e, 4096, path);
      assert.deepEqual(checkIntegrity(trace), []);
      const info = traceInfo(trace);
      assert.deepEqual(
        [info.format, info.records, info.understood, info.problem ?? null],
        ['config-space', 256, 256, null],
      );
      check(trace, '0000:00:04.0');
    }
    check(importBytes(e1000e.subarray(0, 256), 17, PATH), '0000:00:04.0');
    const header = devices(importBytes(e1000e.subarray(0, 64), 64, PATH))['0000:00:04.0'];
    assert.deepEqual([header.vendor, header.command.busMaster, header.msixAt], ['0x10d38086', true, null]);
  });

  it('a file whose path names no function is shown under its name, and that is said', () => {
    const trace = importBytes(e1000e.subarray(0, 256), 256, 'dumps/nic.bin');
    check(trace, 'nic.bin');
    assert.match(traceInfo(trace).problem ?? '', /does not name the function .* device\/nic\.bin/);
  });

  it('other files of these sizes are none', () => {
    assert.throws(() => importBytes(new Uint8Array(256).fill(0xff)));
    assert.throws(() => importBytes(new Uint8Array(4096)));
    assert.throws(() => importText(`${'x'.repeat(255)}\n`), /no line of it/);
  });

  it('a table of ACPI of such a size is none', () => {
    // FACS of ACPI 6.5 (5.2.10): signature, length 64, hardware signature, waking vector, ...
    const facs = Buffer.alloc(64);
    facs.write('FACS', 0, 'latin1');
    assert.equal(importBytes(facs).first.format, 'config-space', 'without the length it could be one');
    facs.writeUInt32LE(64, 4);
    assert.throws(() => importBytes(facs));
  });

  it('a hex dump of which no line says whose it is', () => {
    assert.throws(
      () => importText(`${dump(e1000e.subarray(0, 256), 'hexdump -C')}\n`),
      /needs the path of the function/,
    );
  });

  it('setpci -v: reads and writes of single registers', () => {
    const { events, trace } = wholly(
      '0000:00:04.0 (cap 11 @a0) @a2 = 8004\n0000:00:04.0 @04 0507\n0000:00:04.0 @04 0507->(0000:0004)->0503\n',
    );
    assert.deepEqual(events, [
      'snap.config device/0000:00:04.0 offset=0xa2 size=2 bytes=0x8004',
      'cfg.write device/0000:00:04.0 offset=0x4 size=2 value=0x507',
      'cfg.write device/0000:00:04.0 offset=0x4 size=2 value=0x503',
    ]);
    assert.equal(devices(trace)['0000:00:04.0'].command.busMaster, false);
  });

  it('lists of capabilities that run in a circle or out of their part end', () => {
    const space = new ConfigSpace();
    const put = (at: number, ...bytes: number[]): void => {
      for (const [i, byte] of bytes.entries()) space.put(at + i, byte);
    };
    put(0x100, 0x0f, 0x00, 0x01, 0x20); // ATS, next 0x200
    put(0x200, 0x13, 0x00, 0x01, 0x10); // PRI, next 0x100 again
    assert.deepEqual(
      [...space.extended()],
      [
        { at: 0x100, id: 0x0f },
        { at: 0x200, id: 0x13 },
      ],
    );
    put(0x200, 0x13, 0x00, 0x01, 0x0f); // next 0x0f0: no extended capability lies there
    assert.equal([...space.extended()].length, 2);
    // A conventional list that points to itself.
    const looped = e1000e.slice(0, 256);
    looped[0xa1] = 0xa0;
    assert.deepEqual(checkIntegrity(importBytes(looped, 256, PATH)), []);
  });

  it('extended capabilities: SR-IOV, ATS, PASID, and the one that says that there is an IMS', () => {
    const bytes = new Uint8Array(4096);
    bytes.set(e1000e.subarray(0, 256));
    const put = (at: number, ...values: number[]): void => bytes.set(values, at);
    put(0x100, 0x10, 0x00, 0x11, 0x18); // SR-IOV version 1, next 0x181 -> 0x180
    put(0x108, 0x09, 0x00); // VF Enable, MSE
    put(0x10e, 0x07, 0x00, 0x02, 0x00); // Total VFs 7, Number of VFs 2
    put(0x103, 0x18);
    put(0x102, 0x01);
    put(0x180, 0x0f, 0x00, 0x01, 0x1c, 0x00, 0x00, 0x00, 0x80); // ATS enabled, next 0x1c0
    put(0x1c0, 0x1b, 0x00, 0x01, 0x20, 0x00, 0x00, 0x01, 0x00); // PASID enabled, next 0x200
    put(0x200, 0x23, 0x00, 0x01, 0x00, 0x86, 0x80, 0x80, 0x01, 0x05, 0x00); // DVSEC of vendor 8086, ID 5
    put(0x214, 0x01); // IMS
    const {
      vfs,
      totalVfs,
      atsEnabled: ats,
      pasidEnabled: pasid,
      priEnabled: pri,
      hasIms: ims,
    } = devices(importBytes(bytes, 4096, PATH))['0000:00:04.0'];
    assert.deepEqual([vfs, totalVfs, ats, pasid, pri, ims], [2, 7, true, true, null, true]);
  });

  it('text, text with bytes, and bytes alone of one moment say the same of each function', () => {
    const [text, both, bytes] = ['snap-lspci-text', 'snap-lspci', 'snap-pci-config'].map((name) =>
      devices(fixtureTrace(`arm64-a/${name}.txt`)),
    ) as [Json, Json, Json];
    assert.deepEqual(Object.keys(text).sort(), Object.keys(bytes).sort());
    let compared = 0;
    const agree = (a: Json, b: Json, where: string): void => {
      if (a === null || b === null || a === undefined || b === undefined) return;
      if (typeof a === 'object' && typeof b === 'object') {
        for (const key of Object.keys(a)) agree(a[key], b[key], `${where}/${key}`);
        return;
      }
      compared++;
      assert.equal(a, b, where);
    };
    for (const bdf of Object.keys(text)) {
      agree(text[bdf], both[bdf], bdf);
      // The name of a function is not in its bytes.
      const { name: _, ...rest } = text[bdf];
      agree(rest, bytes[bdf], bdf);
      assert.deepEqual(both[bdf].msixcap, bytes[bdf].msixcap, bdf);
      assert.deepEqual(text[bdf].msixcap?.tableOffset, bytes[bdf].msixcap?.tableOffset, bdf);
      assert.deepEqual(both[bdf].command, bytes[bdf].command, bdf);
    }
    assert.ok(compared > 200, `${compared} values`);
  });

  it('is told apart from other hex dumps of the same file', () => {
    const rows = dump(fixtureBytes('x86-vtd/snap-lspci-edu.txt').subarray(0, 64), 'hexdump -C');
    assert.throws(() => importText(`== /var/log/syslog\n${rows}\n`));
    const head = dump(e1000e.subarray(0, 64), 'xxd');
    const trace = importText(`==> ${PATH} <==\n${head}\n\n==> /tmp/other <==\n${rows}\n`);
    assert.equal(trace.first.accounting.records, 4);
    assert.ok(texts(trace).every((event) => event.startsWith('snap.')));
  });
});
