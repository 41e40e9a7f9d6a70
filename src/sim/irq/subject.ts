import type { Subject } from '../subject.ts';
import { installHost } from './host.ts';
import { installIms } from './ims-domain.ts';
import { imsOperations } from './ims-operations.ts';
import { irqOperations } from './irq-operations.ts';
import { msiOperations } from './msi-operations.ts';

/** The kernel of the host: processors, vectors, irq domains, MSI, MSI-X and IMS. */
export const irqSubject: Subject = {
  operations: [...msiOperations, ...imsOperations, ...irqOperations],
  install: { platform: installHost, functions: installIms },
};
