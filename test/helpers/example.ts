// Facts of the example capture: its first unmask of entry 0 of the nvme function, and how many events it has.
import { readFileSync } from 'node:fs';
import { exampleTrace } from '../../scripts/paths.ts';
import { importBytes } from './fixtures.ts';

const trace = importBytes(readFileSync(exampleTrace));

/** Line and time stand in the file; which event that is depends on the events that are read before it. */
const line = 4722;

export const UNMASK = { step: trace.lastAtLine(line), line, time: '1795148664.565645' };

export const EVENTS = trace.length;

/** The step of the last event. */
export const LAST = EVENTS - 1;
