// Lanes as the host tells them, for tests of the page.
import type { LaneMessage } from '../../src/protocol/timeline.ts';

let next = 0;
/** A lane with one event. */
export function lane(path: string, parent: LaneMessage | undefined, detail = ''): LaneMessage {
  const label = path.slice(path.lastIndexOf('/') + 1);
  return { id: next++, parent: parent?.id ?? -1, path, side: '', twin: -1, label, detail, events: 1, layers: [] };
}

/** Two functions, one with two entries, and a CPU with a vector. */
export function someLanes(): LaneMessage[] {
  const device = lane('device', undefined);
  const nvme = lane('device/0000:00:03.0', device, 'nvme');
  const cpus = lane('cpu', undefined);
  const cpu0 = lane('cpu/0', cpus);
  return [
    device,
    nvme,
    lane('device/0000:00:03.0/msix/0', nvme),
    lane('device/0000:00:03.0/msix/1', nvme),
    lane('device/0000:00:04.0', device, 'e1000e'),
    cpus,
    cpu0,
    lane('cpu/0/vector/33', cpu0),
  ];
}
