// Which trace is offered first to be compared with another one.
import assert from 'node:assert/strict';
import { type Kin, likest } from '../../src/view/comparison/likest.ts';

describe('traces to compare with', () => {
  const storm = { scenario: 'storm', format: 'simulation' };
  const others: readonly (Kin & { readonly name: string })[] = [
    { name: 'log', format: 'qemu-log' },
    { name: 'other run', scenario: 'ring', format: 'simulation' },
    { name: 'text', format: 'ftrace-text' },
    { name: 'same scenario', scenario: 'storm', format: 'simulation' },
  ];
  const names = (of: Kin): string[] => likest(of, others, (kin) => kin).map(({ name }) => name);

  it('are runs of the same scenario, then traces of the same format, then the others as they were opened', () => {
    assert.deepEqual(names(storm), ['same scenario', 'other run', 'log', 'text']);
    assert.deepEqual(names({ format: 'ftrace-text' }), ['text', 'log', 'other run', 'same scenario']);
  });
});
