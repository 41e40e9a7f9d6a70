/** What looks like a fault and is none: no rule may report it. */
export interface FalseAlarm {
  readonly id: string;
  readonly seen: string;
  readonly why: string;
}

export const falseAlarms: readonly FalseAlarm[] = [
  {
    id: 'FA1',
    seen: 'The count of a host irq in `/proc/interrupts` stands still while its guest is served.',
    why: 'The IRTE is posted: the remapping unit writes into the descriptor of the vCPU, and no handler of the host runs.',
  },
  {
    id: 'FA2',
    seen: '`kvm_msi_set_irq` without a delivery.',
    why: 'KVM also prints it when a route is written, not only when a message is injected.',
  },
  {
    id: 'FA3',
    seen: 'Signals of an irqfd without `kvm_set_irq`.',
    why: 'The fast path of an irqfd injects the message of its route directly and prints nothing of the kind.',
  },
  {
    id: 'FA4',
    seen: 'Vector 0xef (239) in a dump or in a table entry.',
    why: 'It is the reserved catch-all vector of irqs that are not activated; nobody allocated it.',
  },
  {
    id: 'FA5',
    seen: 'A message with address 0 in a dump of an irq.',
    why: 'The irq is not active: deactivation writes zeros.',
  },
  {
    id: 'FA6',
    seen: 'Two `vector_activate` of one irq, the first with `reserve=1`.',
    why: 'Reservation mode: the first only reserves, the vector is allocated when the irq is requested.',
  },
  {
    id: 'FA7',
    seen: 'The "fault index" of a fault with reason 0x25.',
    why: 'A message in compatibility format has no index; the number is made of its destination and vector bits.',
  },
  {
    id: 'FA8',
    seen: 'A managed irq with an empty effective affinity.',
    why: 'All CPUs of its mask are offline; the irq is shut down until one of them comes back.',
  },
  {
    id: 'FA9',
    seen: '`kvm_apic_accept_irq` with `coalesced`.',
    why: 'The vector was in the IRR already: both causes are served by one interrupt.',
  },
  {
    id: 'FA10',
    seen: 'Table entries that are not masked while MSI-X is disabled.',
    why: 'The mask bits count only while MSI-X is enabled.',
  },
  {
    id: 'FA11',
    seen: 'One spurious interrupt just after an irq moved in two steps.',
    why: 'The kernel retriggers the vector after the two-step change of a message; this is documented.',
  },
  {
    id: 'FA12',
    seen: 'No `kvm_pi_irte_update` when a route is written.',
    why: 'Linux 7.2 leaves the IRTE alone where nothing of it changes.',
  },
  {
    id: 'FA13',
    seen: 'An IRTE that stays present after its interrupt was released.',
    why: 'VFIO keeps the irqs that it allocated, to use them again.',
  },
  {
    id: 'FA14',
    seen: '`IR-` in the chip names of `/proc/interrupts`.',
    why: 'It is there for every irq below a remapping unit and says nothing about posting.',
  },
  {
    id: 'FA15',
    seen: '`vfio_msi_interrupt` of QEMU while the guest boots.',
    why: 'The irqfd is not set yet: QEMU itself injects.',
  },
  {
    id: 'FA16',
    seen: 'Numbers of `irq_matrix_*` that jump.',
    why: 'They count the vectors of all CPUs that are online, and a CPU came or went.',
  },
];
