/** Commands that tell what a trace holds. */

export { events } from './commands/events.ts';
export { explain } from './commands/explain.ts';
export { history } from './commands/history.ts';
export { info } from './commands/info.ts';
export { state } from './commands/state.ts';
export { stats } from './commands/stats.ts';
