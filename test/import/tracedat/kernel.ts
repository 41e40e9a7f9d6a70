// What a kernel keeps outside of its ring buffer: names of addresses, and texts.

export const KALLSYMS =
  'ffffffff81000000 T _stext\nffffffff81001000 T generic_exec_single\nffffffff81001200 t flush_smp_call_function_queue\n' +
  'ffffffff81001200 t an_alias\nffffffff81002000 T tracing_mark_write\nffffffff81002400 T vfio_ioctl\nffffffff81002800 T behind_it\nffffffffc0001000 t other_fn\t[some_mod]\n' +
  'ffffffffc0001100 t vfio_pci_set_irqs_ioctl\t[vfio_pci_core]\nffffffffc0001230 t behind\t[vfio_pci_core]\n';
export const PRINTK =
  '0xffffffff82000010 : "Rescheduling interrupts"\n0xffffffff82000020 : "n is %d, %s at %ps, %c, %llx\\n"\n0xffffffff82000030 : "just \\"this\\"\\n"\n';
