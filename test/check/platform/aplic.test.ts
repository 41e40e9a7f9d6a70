// The rule about levels of an APLIC, on traces that break it and on ones that do not.
import assert from 'node:assert/strict';
import { found, made, verdict } from '../made.ts';

const SOURCE = 'aplic/0/source/32';
const set = (mode: string): string =>
  `1 aplic.map ${SOURCE} irq=24\n1 aplic.source ${SOURCE} config=${mode}\n1 aplic.enable ${SOURCE} enabled=true`;
const sent = (at: number): string =>
  `${at} aplic.line ${SOURCE} input=true\n${at} aplic.pend ${SOURCE} pending=true by=line\n${at} aplic.send ${SOURCE} cpu=1 identity=2`;
const CLAIM = '20 imsic.claim cpu/1/imsic/2';
const HANDLER = '21 irq.entry irq/24 name=uart\n25 irq.exit irq/24 handled=true';
const LATE = '20000 aplic.enable aplic/0/source/9 enabled=true';
const TOLD = [`5 ${SOURCE}: the level of source 32 of the APLIC is up, and nobody sends it again`];
const of = (...lines: string[]): ReturnType<typeof made> => made(lines.join('\n'));

describe('R27', () => {
  it('a level that is up behind its handler, enabled, with nothing that pends', () => {
    assert.deepEqual(found(of(set('0x6'), sent(10), CLAIM, HANDLER, LATE), 'R27'), TOLD);
    // Active low, and a trace that shows no handlers.
    assert.deepEqual(found(of(set('0x7'), sent(10), CLAIM, LATE), 'R27'), TOLD);
  });

  it('not while its message waits at the hart, or its handler runs', () => {
    assert.equal(verdict(of(set('0x6'), sent(10), LATE), 'R27'), 'pass');
    assert.equal(verdict(of(set('0x6'), sent(10), CLAIM, '21 irq.entry irq/24 name=uart', LATE), 'R27'), 'pass');
  });

  it('not where the wire fell, setipnum was written, or the source is not enabled or takes edges', () => {
    for (const end of [
      `30 aplic.line ${SOURCE} input=false`,
      `30 aplic.pend ${SOURCE} pending=true by=setipnum`,
      `30 aplic.enable ${SOURCE} enabled=false`,
      `30 aplic.source ${SOURCE} config=0x0`,
    ])
      assert.equal(verdict(of(set('0x6'), sent(10), CLAIM, HANDLER, end, LATE), 'R27'), 'pass', end);
    assert.equal(verdict(of(set('0x4'), sent(10), CLAIM, HANDLER, LATE), 'R27'), 'pass');
  });

  it('not shortly behind the handler: the kernel may still end the interrupt', () => {
    assert.equal(verdict(of(set('0x6'), sent(10), CLAIM, HANDLER), 'R27'), 'pass');
  });

  it('not of a source whose mode and enable were never told', () => {
    assert.equal(verdict(of(sent(10), CLAIM, HANDLER, LATE), 'R27'), 'pass');
  });
});
