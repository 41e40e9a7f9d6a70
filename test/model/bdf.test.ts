import assert from 'node:assert/strict';
import { bdfText, requesterId, requesterText } from '../../src/model/bdf.ts';

describe('BDFs and requester IDs', () => {
  // PCIe Base 2.2.6.2: bus in bits 15:8, device in 7:3, function in 2:0.
  const pairs = [
    [0x0018, '0000:00:03.0'],
    [0x6a08, '0000:6a:01.0'],
    [0xffff, '0000:ff:1f.7'],
    [0x00fb, '0000:00:1f.3'],
  ] as const;

  for (const [requester, bdf] of pairs) {
    it(`${bdf} is 0x${requester.toString(16)}`, () => {
      assert.equal(requesterText(requester), bdf);
      assert.equal(requesterId(bdf), requester);
    });
  }

  it('writes the segment with four digits', () => {
    assert.equal(bdfText(0x1, 0xa, 0x1f, 7), '0001:0a:1f.7');
  });

  it('refuses what is no BDF with segment', () => {
    for (const text of ['00:03.0', '0000:00:20.0', '0000:00:03.8', 'nvme', ''])
      assert.throws(() => requesterId(text), /no BDF/);
  });
});
