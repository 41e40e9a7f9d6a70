/** Commands of the simulator. */
export { scenarios } from './commands/scenarios.ts';
export { simulate } from './commands/simulate.ts';
