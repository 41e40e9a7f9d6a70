import { policy } from '../policy.ts';

/** Who answers the request for a queue. */
export const queueAuthority = policy(
  'queueAuthority',
  'What checks limits and security properties of a request for a queue.',
  {
    driver: 'The PCI driver of the function, which does what firmware does elsewhere (IDXD).',
    firmware: 'The device: the driver asks it by an RPC (mlx5).',
  },
  ['S1-10', 'S1-11'],
);

/** Which name the IMS domain of a function carries. */
export const imsCarrier = policy(
  'imsCarrier',
  'Which struct device the IMS domain of a function is attached to. Storage and allocator stay with the PCI function.',
  {
    function: 'The PCI function itself, as its second domain beside MSI-X.',
    cdev: 'The character device of the function: conceptually wrong, but it would work.',
    netdev: 'A network device of the function: the same.',
  },
  ['S1-6', 'S1-20'],
);

/** How a function names interrupt entries to descriptors. */
export const handleCommand = policy(
  'handleCommand',
  'Whether an IDXD device has the command Request Interrupt Handle, and what it grants after it revoked its handles.',
  {
    absent:
      'It has none: the index of an entry is its handle. When the device revokes handles, the driver can only say so.',
    other:
      'The driver requests a handle for each entry. After a revocation the device grants other numbers: queues of the kernel stop, change and drain.',
    same: 'The driver requests a handle for each entry. After a revocation the device grants the same numbers again.',
  },
);

/** Who answers for queues. */
export const queuePolicies = { queueAuthority, imsCarrier, handleCommand } as const;
