import { bit, bits, register, reserved } from './layout.ts';

/**
 * Control word of a posted-interrupt descriptor, 64 bits at byte 32 (descriptor bits 319:256). The descriptor is 64
 * bytes long and 64-byte aligned: bytes 0 to 31 are the PIR (posted-interrupt requests), whose bit n is vector n, and
 * bytes 40 to 63 are reserved. The poster sets the bit in the PIR; when SN is 0 (or the interrupt is urgent) and
 * ON is 0 it sets ON and sends the vector NV to NDST.
 */
export const postedControl = register(
  'Posted-interrupt control',
  64,
  'Whether posting an interrupt notifies a CPU, and which one.',
  'VT-d 9.12; SDM vol. 3 "Posted-interrupt processing"; arch/x86/include/asm/posted_intr.h struct pi_desc',
  [
    bit('on', 0, 'RW', 'Outstanding notification: one was sent and not yet taken. While 1, no other is sent.'),
    bit('sn', 1, 'RW', 'Suppress notification: only urgent interrupts notify. Set while the vCPU is preempted.'),
    reserved(15, 2),
    bits('nv', 23, 16, 'RW', 'Notification vector.', {
      values: {
        242: 'POSTED_INTR_VECTOR: the vCPU runs',
        241: 'POSTED_INTR_WAKEUP_VECTOR: the vCPU is blocked',
        240: 'POSTED_INTR_NESTED_VECTOR',
        235: 'POSTED_MSI_NOTIFICATION_VECTOR: host',
      },
    }),
    reserved(31, 24),
    bits(
      'ndst',
      63,
      32,
      'RW',
      'Notification destination, raw. xAPIC: the APIC id is in bits 15:8 of it; x2APIC: it is the 32-bit id.',
    ),
  ],
);
