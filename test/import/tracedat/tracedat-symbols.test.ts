// Names of addresses in lists of which only a first part, or no part, stands in order.
import assert from 'node:assert/strict';
import { Symbols } from '../../../src/import/tracedat/symbols.ts';

/** What the kernel says of an address: of the symbols at or before it the nearest, of equal ones the first. */
function nearest(list: readonly (readonly [number, string])[], address: number): string | undefined {
  let best: readonly [number, string] | undefined;
  for (const one of list) if (one[0] <= address && (best === undefined || one[0] > best[0])) best = one;
  return best?.[1];
}

describe('trace.dat: names of addresses', () => {
  const lists: Record<string, readonly number[]> = {
    'in order': [16, 32, 32, 48, 64],
    'with modules behind': [16, 32, 48, 64, 32, 8, 24, 64, 40],
    'in reverse': [64, 48, 32, 16],
    'all equal': [16, 16, 16],
  };
  for (const [name, addresses] of Object.entries(lists))
    it(name, () => {
      const list = addresses.map((address, i) => [address, `name${i}`] as const);
      const text = list.map(([address, symbol]) => `${address.toString(16).padStart(16, '0')} T ${symbol}\n`).join('');
      const symbols = new Symbols(() => Buffer.from(text));
      for (let address = 0; address < 80; address++)
        assert.equal(symbols.find(BigInt(address), false), nearest(list, address), `at ${address}`);
    });
});
