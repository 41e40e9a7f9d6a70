/** Config offset of the Command register. */
export const COMMAND = 4;
/** Config offset of the MSI capability, where a simulated function has one. */
export const MSI_AT = 0x50;
/** The same of one with mask bits, which is longer. */
export const MASKABLE_MSI_AT = 0x70;
/** Config offset of the MSI-X capability of every simulated function. */
export const MSIX_AT = 0x60;
/** Config offset of the PCI Express capability, where a simulated function has one, and of Device Capabilities and Device Control in it. */
export const EXP_AT = 0x90;
export const EXP_CAPABILITIES = 4;
export const EXP_CONTROL = 8;
