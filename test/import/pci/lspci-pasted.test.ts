// lspci as it comes out of mails and pages. Each line says what it says in the output of the tool.
import assert from 'node:assert/strict';
import { stateTree } from '../../../src/query/state.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { importText } from '../../helpers/fixtures.ts';
import { wholly } from '../samples.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are JSON, looked at as users do.
type Json = any;

/** The devices of the state at the end. */
const devices = (trace: Trace): Json => (stateTree(trace.stateAt(trace.length - 1)) as Json).device;

const NVME = '0000:00:03.0';

describe('lspci in mails and pages', () => {
  it('quoted in a mail: blanks for tabs, and lines broken at 72 characters', () => {
    const { trace, info } = wholly(
      [
        'Hi,',
        '> 00:03.0 Ethernet controller: A B',
        '>         Control: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr-',
        '> Stepping- SERR+ FastB2B- DisINTx+',
        '>         Region 0: Memory at fe780000 (32-bit, non-prefetchable) [size=128K]',
        '>         Capabilities: [a0] MSI-X: Enable+ Count=5 Masked-',
        '>                 Vector table: BAR=3 offset=00000000',
        '>                 PBA: BAR=3 offset=00002000',
        '>         Kernel driver in use: e1000e',
        '',
      ].join('\n'),
    );
    const dev = devices(trace)[NVME];
    assert.deepEqual([dev.command.busMaster, dev.command.intxDisable], [true, true]);
    assert.deepEqual([dev.msixcap.size, dev.msixcap.pbaOffset, dev.driver], [5, 0x2000, 'e1000e']);
    assert.ok(info.undone.includes('quoted') && info.undone.includes('wrapped'), info.undone.join());
  });

  it('copied from a page: blanks for tabs, also where a capability goes on with a sentence', () => {
    const { trace } = wholly(
      [
        '6a:00.4 Generic system peripheral [0807]: Intel Corporation Device 0b23',
        '        Interrupt: pin A routed to IRQ 255',
        '        Capabilities: [40] Express (v2) Root Complex Event Collector, MSI 00',
        '                DevCap: MaxPayload 512 bytes, PhantFunc 0',
        '                        ExtTag- RBE-',
        '                        MaxPayload 128 bytes, MaxReadReq 128 bytes',
        '                         EmergencyPowerReduction Not Supported, EmergencyPowerReductionInit-',
        '        Capabilities: [90] MSI: Enable+ Count=1/1 Maskable+ 64bit-',
        '                Address: fee00018  Data: 0000',
        '                Masking: 00000000  Pending: 00000000',
        '',
      ].join('\n'),
    );
    const { msi } = devices(trace)['0000:6a:00.4'];
    assert.deepEqual([msi.enable, msi.address.value, msi.mask.value], [true, '0xfee00018', '0x0']);
  });

  /** A function as lspci -vv prints it, with tabs in front. */
  const WHOLE = [
    '02:00.0 Memory controller: Marvell Technology Group Ltd. 88F6820 [Armada 385] ARM SoC (rev 04)',
    '\tStatus: Cap+ 66MHz- UDF- FastB2B- ParErr- DEVSEL=fast >TAbort- <TAbort- <MAbort- >SERR- <PERR- INTx-',
    '\tCapabilities: [40] Power Management version 3',
    '\t\tFlags: PMEClk- DSI- D1+ D2+ AuxCurrent=0mA PME(D0-,D1-,D2-,D3hot-,D3cold-)',
    '\tCapabilities: [50] MSI: Enable+ Count=1/1 Maskable- 64bit+',
    '\t\tAddress: 00000000fee00ef8  Data: 0000',
    '\tCapabilities: [70] Express (v2) Endpoint, MSI 00',
    '\t\tDevCap:\tMaxPayload 512 bytes, PhantFunc 0, Latency L0s unlimited, L1 unlimited',
    '\tCapabilities: [b0] MSI-X: Enable- Count=8 Masked-',
    '\t\tVector table: BAR=0 offset=00004000',
    '\t\tPBA: BAR=0 offset=00003000',
  ];
  const told = (text: string) => {
    const { msi, msixcap } = devices(importText(text))['0000:02:00.0'];
    return [msi.enable, msi.address.value, msixcap.size, msixcap.tableOffset, msixcap.pbaOffset];
  };
  const TOLD = [true, '0xfee00ef8', 8, 0x4000, 0x3000];
  /** A line as a mail program breaks it. */
  const broken = (line: string): string[] => {
    if (line.length <= 60) return [line];
    const at = line.lastIndexOf(' ', 60);
    return [line.slice(0, at + 1), ...broken(line.slice(at + 1))];
  };

  it('lines that a mail program broke do not end the function, quoted or not', () => {
    const lines = WHOLE.map((line) => line.replaceAll('\t', '    ')).flatMap(broken);
    assert.ok(lines.length > WHOLE.length + 3);
    assert.deepEqual(told(lines.join('\n')), TOLD);
    assert.deepEqual(told(lines.map((line) => `>> ${line}`).join('\n')), TOLD);
  });

  it('with a blank line behind each line', () => {
    assert.deepEqual(told(WHOLE.flatMap((line) => [line, '']).join('\n')), TOLD);
  });

  it('without any blanks in front', () => {
    assert.deepEqual(told(WHOLE.map((line) => line.trim()).join('\n')), TOLD);
  });

  it('a list of functions: what a command prints below it is not of the last one', () => {
    for (const between of ['# lspci -vvs 3:0 | grep MSI', 'user@host:~$ lspci -vvs 3:0 | grep MSI', '', 'All of them:'])
      assert.equal(
        devices(
          importText(`${WHOLE[0]}\n${between}\n\nx\n\tCapabilities: [50] MSI: Enable+ Count=1/1 Maskable- 64bit+\n`),
        )['0000:02:00.0'].msiAt,
        null,
        between,
      );
  });
});
