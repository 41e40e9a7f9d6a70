import { policy } from '../policy.ts';

/** How a device behind iommufd learns the address of its doorbell. */
export const vmsi = policy(
  'vmsi',
  'What gives the message address of a device whose translation user space owns (iommufd).',
  {
    rmr: 'The kernel maps the doorbell at its software MSI window (0x8000000); the firmware of a guest announces that window (RMR), and the guest maps it one to one in its stage 1.',
    vits: 'User space gives an address for each vector of each device; the kernel maps nothing by itself.',
    none: 'Nothing gives it: the kernel writes the physical address of the doorbell.',
  },
  ['S3-13', 'S3-14', 'S3-15'],
);

/** Whether a guest has a stage 1 of its own. */
export const nested = policy(
  'nested',
  'Which stages translate the accesses of a device of iommufd.',
  {
    yes: 'Stage 1 tables of the guest on top of stage 2 tables of the VMM.',
    no: 'Stage 2 only: what the device writes to is a guest-physical address.',
  },
  ['S3-16'],
);

/** In which place of the kernel the address of a message is replaced. */
export const composeHook = policy(
  'composeHook',
  'Where the kernel puts the address from the owner of the translation into the message.',
  {
    function: 'The ITS asks a function of the domain when it composes (as in Linux 6.15).',
    cookie: 'The ITS looks into a cookie of the domain: one doorbell address for all vectors of the device.',
    write: 'A write_msi_msg callback translates and writes the message a second time.',
    xlate: 'An xlate_msi_msg callback translates just before the message is stored.',
    domain: 'An irq domain of its own between MSI-X and ITS translates when it composes.',
  },
  ['S3-4', 'S3-5', 'S3-6', 'S3-7', 'S3-8', 'S3-12'],
);

/** Whether a new vMSI address reaches the device. */
export const forceWrite = policy(
  'forceWrite',
  'What happens when user space changes the message address of a vector that is in use.',
  {
    yes: 'Affinity is set again and the message is written even when the affinity does not need it.',
    no: 'Affinity is set again; the ITS answers that the message need not change, so the kernel does not write it.',
  },
  ['S3-9', 'S3-10', 'S3-11'],
);

/** Whether a move to another CPU changes the message. */
export const affinityMessage = policy(
  'affinityMessage',
  'How the platform moves an interrupt to another CPU.',
  {
    stays: 'MOVI: the ITS moves the EventID to another collection, the message stays.',
    changes: 'The message names the target: each move takes another EventID and writes the message again.',
  },
  ['S3-3'],
);

/** Who hands interrupts of assigned devices to a guest. */
export const gicv4 = policy(
  'gicv4',
  'What an Arm host does with interrupts of a device that go to a virtual CPU.',
  {
    none: 'The host takes each one, and KVM injects it: the virtual CPU leaves the guest.',
    'v4.0':
      'The ITS makes a virtual LPI pend at the vPE; where that is not resident, a doorbell LPI of the EventID wakes KVM.',
    'v4.1': 'The same with one default doorbell for each vPE, wanted only while it waits for interrupts.',
  },
  ['S3-2'],
);

/** Whether a guest has a command queue of its own in the hardware. */
export const vcmdq = policy(
  'vcmdq',
  'What the SMMU has for the commands of a guest with a stage 1 of its own (iommufd).',
  {
    none: 'Nothing: each batch of commands exits to the VMM, which hands them to the kernel.',
    tegra241:
      'A queue that the guest owns (HW queue): the hardware takes the commands that it allows there, without an exit.',
  },
  ['S3-16'],
);

/** Where devices of an Arm host find their doorbell, and how their interrupts move. */
export const armPolicies = { vmsi, nested, composeHook, forceWrite, affinityMessage, gicv4, vcmdq } as const;
