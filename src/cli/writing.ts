/** Commands that write files. */
export { convert } from './commands/convert.ts';
export { kit } from './commands/kit.ts';
