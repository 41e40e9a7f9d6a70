// What an ftrace text tells of itself in `info`: its tracer, and stamps that go back. Its columns: ftrace-records.test.ts.
import assert from 'node:assert/strict';
import { wholly } from '../samples.ts';

const record = (stamp: string): string =>
  `          <idle>-0       [002] d.h1. ${stamp}: irq_handler_exit: irq=41 ret=handled`;
const variant = (...lines: readonly string[]): string => wholly(`${lines.join('\n')}\n`).info.variant;

describe('the variant of an ftrace text', () => {
  it('says no more where nothing is told', () => {
    assert.equal(variant('# tracer: nop', record('10.000001')), 'default format');
  });

  it('names a tracer that is not nop', () => {
    assert.equal(variant('# tracer: function', record('10.000001')), 'default format, tracer function');
  });

  it('counts the stamps that are older than the one before, from the first one on', () => {
    const stamps = (...all: readonly string[]): string => variant('# tracer: nop', ...all.map(record));
    const plain = 'default format';
    assert.equal(stamps('10.000001', '10.000001', '10.000002'), plain, 'equal ones are in order');
    assert.equal(stamps('10.000002', '10.000001'), `${plain}, 1 stamps older than the one before`);
    assert.equal(
      stamps('10.000003', '10.000002', '10.000001', '10.000009'),
      `${plain}, 2 stamps older than the one before`,
    );
  });
});
