/**
 * A storm for the simulator's engine: 16 devices with 16 vectors each raise without pause at 256 CPUs, and the trace is
 * streamed to a file. `node storm.ts EVENTS FILE` runs one in this process and prints its figures as JSON.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readScenario } from '../../src/sim/scenario.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import { StreamRecorder } from '../../src/sim/stream.ts';

const DEVICES = 16;
const VECTORS = 16;
/** Events that one undisturbed interrupt makes: raise, send, accept, take, handler entry and exit, EOI. */
const PER_CAUSE = 7;

export interface StormFigures {
  readonly events: number;
  readonly causes: number;
  readonly bytes: number;
  readonly ms: number;
  readonly peakRss: number;
}

function scenario(events: number): ReturnType<typeof readScenario> {
  const devices = Array.from({ length: DEVICES }, (_, d) => ({
    bdf: `0000:${(d + 1).toString(16).padStart(2, '0')}:00.0`,
    name: `dev${d}`,
    vectors: VECTORS,
  }));
  const times = Math.max(1, Math.ceil(events / PER_CAUSE / DEVICES / VECTORS));
  const workload = devices.flatMap(({ bdf }, d) =>
    Array.from({ length: VECTORS }, (_, v) => ({
      at: 1_000_000 + d * 37 + v * 501,
      every: 8000,
      times,
      op: 'device.raise',
      object: `device/${bdf}/msix/${v}`,
    })),
  );
  return readScenario({ title: 'storm', description: 'A storm.', platform: { cpus: 256 }, devices, workload });
}

function storm(events: number, file: string): StormFigures {
  const found = scenario(events);
  if (!('title' in found)) throw new Error(found[0]?.problem);
  const fd = openSync(file, 'w');
  const start = performance.now();
  // Sampled here: the kernel's own figure of the peak counts the process that this one was forked from.
  let peakRss = 0;
  const recorder = new StreamRecorder([], (bytes) => {
    writeSync(fd, bytes);
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
  });
  const simulation = new Simulation({ scenario: found, seed: 1, settings: {}, operations: [] }, recorder);
  simulation.run();
  recorder.end();
  const ms = performance.now() - start;
  closeSync(fd);
  const { causes, twice } = simulation.machine.ledger;
  const { delivered, merged } = simulation.machine.ledger.tally();
  if (delivered + merged !== causes || twice.length > 0) throw new Error('the books of the storm do not balance');
  return { events: recorder.length, causes, bytes: statSync(file).size, ms, peakRss };
}

/** Runs one storm in a process of its own, which leaves its trace in a file. */
export function writeStorm(events: number, file: string): void {
  const child = spawnSync(process.execPath, [import.meta.filename, String(events), file], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
}

/** Runs storms of several sizes, each in a process of its own, and prints a table. */
export function printStorms(sizes: readonly number[], folder: string): StormFigures[] {
  const file = join(folder, 'storm.irqtrace');
  const rows = sizes.map((events): StormFigures => {
    // A small heap: a run whose memory grew with its length would not end.
    const args = ['--max-old-space-size=64', '--max-semi-space-size=4', import.meta.filename, String(events), file];
    const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
    rmSync(file, { force: true });
    if (child.status !== 0) throw new Error(child.stderr);
    return JSON.parse(child.stdout) as StormFigures;
  });
  console.log('\nstorm: 16 devices, 256 CPUs, streamed to disk');
  for (const r of rows) {
    const rate = (r.events / r.ms / 1000).toFixed(2);
    console.log(
      `${String(r.events).padStart(9)} events  ${r.ms.toFixed(0).padStart(6)} ms  ${rate} M events/s  ` +
        `${(r.bytes / 1e6).toFixed(0).padStart(4)} MB written  peak ${(r.peakRss / 1e6).toFixed(0)} MB`,
    );
  }
  return rows;
}

if (import.meta.main) process.stdout.write(JSON.stringify(storm(Number(process.argv[2]), process.argv[3]!)));
