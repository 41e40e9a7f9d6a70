import assert from 'node:assert/strict';
import { textOf } from '../../src/base/bytes.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { StreamRecorder } from '../../src/sim/stream.ts';
import { irqtraceBytes } from '../../src/trace/irqtrace.ts';
import { run, scenarioOf } from './run.ts';

const document = {
  devices: [{ bdf: '0000:03:00.0', name: 'nvme', vectors: 3 }],
  jitter: 0.5,
  workload: [{ at: '50us', op: 'device.raise', object: 'device/0000:03:00.0/msix/2', every: '3us', times: 40 }],
};

function streamed(seed: number): string {
  let text = '';
  const recorder = new StreamRecorder(['seed 7'], (bytes) => {
    text += textOf(bytes);
  });
  const simulation = new Simulation({ scenario: scenarioOf(document), seed, settings: {}, operations: [] }, recorder);
  simulation.run();
  recorder.end();
  return text;
}

describe('streamed run', () => {
  it('writes the bytes that a recorded run of the same recipe writes', () => {
    const recorded = [...irqtraceBytes(run(document, { seed: 7 }).trace, ['seed 7'])].map((b) => textOf(b)).join('');
    assert.equal(streamed(7), recorded);
    assert.equal((recorded.match(/ dev\.raise /g) ?? []).length, 40);
  });

  it('another seed orders and times the same causes differently', () => {
    assert.notEqual(streamed(7), streamed(8));
    assert.equal((streamed(8).match(/ dev\.raise /g) ?? []).length, 40);
  });
});
