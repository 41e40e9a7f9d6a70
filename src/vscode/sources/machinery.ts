/**
 * The importers and what they build take a moment to load. They are loaded when they are needed first, so that the window starts at once.
 * The operations of the simulator are loaded with them: rows of every trace offer those that fit.
 */
export async function loadMachinery() {
  const [{ ImportRun }, { Session }, { carryOver }, { operations }, { whatIfOperations }] = await Promise.all([
    import('../../import/run.ts'),
    import('../../session/session.ts'),
    import('../../session/carry.ts'),
    import('../../sim/catalogue.ts'),
    import('../../sim/whatif.ts'),
  ]);
  return { ImportRun, Session, carryOver, operations, whatIfOperations };
}
