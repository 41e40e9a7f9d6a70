/**
 * A table that is asked with names from outside, such as those of a trace, a file or a command line.
 * It has no members but its own: `constructor` and `__proto__` are names like others, and are not in it.
 */
export function byName<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, T>, entries));
}
