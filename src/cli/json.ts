/** Nesting to which a document is cut into pieces; what lies deeper is small. */
const PIECES = 4;
const INDENT = '  ';

/** A JSON document, indented, in pieces that are never huge; ends with a line end. */
export function* jsonDocument(value: unknown): Generator<string> {
  yield* piece(value, '', PIECES);
  yield '\n';
}

function* piece(value: unknown, indent: string, depth: number): Generator<string> {
  const inner = indent + INDENT;
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (depth === 0 || members.every(([, member]) => member === undefined)) {
    yield JSON.stringify(value, null, INDENT).replaceAll('\n', `\n${indent}`);
    return;
  }
  const list = Array.isArray(value);
  let before = list ? '[\n' : '{\n';
  for (const [key, member] of members) {
    if (member === undefined) continue;
    yield `${before}${inner}${list ? '' : `${JSON.stringify(key)}: `}`;
    yield* piece(member, inner, depth - 1);
    before = ',\n';
  }
  yield `\n${indent}${list ? ']' : '}'}`;
}
