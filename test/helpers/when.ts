// Evaluates `when` clauses as the editor does (its documentation: "when clause contexts"): what a menu or key would do, without an editor.

/** Context keys by name; a key that is not there is undefined, which counts as false and equals nothing. */
export type Context = Readonly<Record<string, unknown>>;

const TOKEN = /\s*(\/(?:\\.|[^/\\])+\/[a-z]*|&&|\|\||==|!=|=~|[!()]|'[^']*'|[^\s()!=&|]+)/y;

function tokens(clause: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < clause.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(clause)?.[1];
    if (token === undefined) throw new Error(`not read: ${clause.slice(at)}`);
    found.push(token);
  }
  return found;
}

/** Whether a `when` clause holds in a context. A clause that is not there always holds. */
export function holds(clause: string | undefined, context: Context): boolean {
  if (clause === undefined) return true;
  const rest = tokens(clause);
  const take = (token: string): boolean => rest[0] === token && rest.shift() !== undefined;
  const any = (): boolean => {
    let value = all();
    while (take('||')) value = all() || value;
    return value;
  };
  const all = (): boolean => {
    let value = one();
    while (take('&&')) value = one() && value;
    return value;
  };
  const one = (): boolean => {
    if (take('!')) return !one();
    if (take('(')) {
      const value = any();
      if (!take(')')) throw new Error(`no ) in ${clause}`);
      return value;
    }
    const name = rest.shift() ?? '';
    if (!/^[\w.]+$/.test(name)) throw new Error(`no key: ${name} in ${clause}`);
    const value = name === 'false' ? false : name === 'true' ? true : context[name];
    if (take('==')) return String(value ?? '') === unquoted(rest.shift());
    if (take('!=')) return String(value ?? '') !== unquoted(rest.shift());
    if (take('=~')) return regex(rest.shift()).test(String(value ?? ''));
    return Boolean(value);
  };
  const value = any();
  if (rest.length > 0) throw new Error(`not read: ${rest.join(' ')} in ${clause}`);
  return value;
}

const unquoted = (word = ''): string => word.replace(/^'(.*)'$/, '$1');

function regex(word = ''): RegExp {
  const [, source, flags] = /^\/(.*)\/([a-z]*)$/.exec(word) ?? [];
  if (source === undefined) throw new Error(`no regular expression: ${word}`);
  return new RegExp(source, flags);
}
