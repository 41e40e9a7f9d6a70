/** Commands that follow and judge interrupts. */

export { check } from './commands/check.ts';
export { diff } from './commands/diff.ts';
export { interrupts } from './commands/interrupts.ts';
export { path } from './commands/path.ts';
