/** Config offset of the Command register. */
export const COMMAND = 4;
/** Config offset of the MSI capability, where a simulated function has one. */
export const MSI_AT = 0x50;
/** Config offset of the MSI-X capability of every simulated function. */
export const MSIX_AT = 0x60;
