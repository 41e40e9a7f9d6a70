/** Where a scenario of one's own begins: a system that works, with a comment on every part. */
export function newScenario(title: string): string {
  return `{
  // The schema: editors complete keys, operations, objects and policies from it.
  // docs/simulator.md lists all of them.
  "title": ${JSON.stringify(title)},
  "description": "One function with two vectors. A cause waits behind a mask and leaves when that is cleared.",

  // The host: processors, and what remaps interrupts (none, vtd, amd; its on arm64).
  "platform": { "arch": "x86", "cpus": 4, "remap": "none" },

  // How much delays vary: from 0 to 1 of each. With 0 every seed gives the same order.
  "jitter": 0,

  // PCI functions of the host. The driver of each allocates its vectors at boot, one irq for each, from irq/24 on.
  "devices": [{ "bdf": "0000:03:00.0", "name": "nvme", "vectors": 2 }],

  // Decisions of the design, by name: see "irqscope simulate FILE --compare POLICY".
  "policies": { "vectorCleanup": "timer" },

  // Rules that watch the run: each breach is an event right behind the one that broke it.
  "watch": ["INV-PEND"],

  // What happens, at which time. "every" and "times" repeat an operation.
  "workload": [
    { "at": "50us", "op": "device.raise", "object": "device/0000:03:00.0/msix/1", "every": "20us", "times": 3 },
    { "at": "200us", "op": "entry.mask", "object": "device/0000:03:00.0/msix/1" },
    { "at": "210us", "op": "device.raise", "object": "device/0000:03:00.0/msix/1" },
    { "at": "300us", "op": "entry.unmask", "object": "device/0000:03:00.0/msix/1" },
    { "at": "400us", "op": "irq.affinity", "object": "irq/25", "cpus": [2] },
    { "at": "450us", "op": "device.raise", "object": "device/0000:03:00.0/msix/1" }
  ]
}
`;
}
