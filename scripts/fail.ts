// An error that is the user's to mend: shown as its message alone, without a stack.
export class Trouble extends Error {}

/** Runs a script's main function; Trouble ends it with one message, anything else with its stack. */
export async function main(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    console.error(error instanceof Trouble ? `irqscope: ${error.message}` : error);
    process.exitCode = 1;
  }
}
