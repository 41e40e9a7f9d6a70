/** What the vector domain holds for an irq (struct apic_chip_data). */
export interface ChipData {
  /** Vector and CPU; vector 0: none. The CPU stays what it was last. */
  vector: number;
  cpu: number;
  /** Vector that it moved away from and that is not released yet; 0: none. */
  prevVector: number;
  prevCpu: number;
  /** Between the update and the first interrupt on the new vector (or the write of the IRTE). */
  moving: boolean;
  canReserve: boolean;
  hasReserved: boolean;
  managed: boolean;
  /** What a message must carry (struct irq_cfg): the vector, or the placeholder while there is none. */
  configVector: number;
  configCpu: number;
}
