// What the JSON schema of SARIF 2.1.0 (OASIS, errata 01) says of the objects that are written, with the properties that are
// written. Every object of SARIF but the property bag refuses properties that the standard does not name.
import type { Schema } from './json-schema.ts';

const text: Schema = { type: 'string' };
const index: Schema = { type: 'integer', minimum: -1 };
const bag: Schema = { type: 'object', properties: { tags: list(text, true) }, additionalProperties: true };
const level: Schema = { type: 'string', enum: ['none', 'note', 'warning', 'error'] };

function list(items: Schema, unique = false): Schema {
  return { type: 'array', minItems: 0, uniqueItems: unique, items };
}

function object(properties: Record<string, Schema>, required: string[] = [], anyOf?: string[]): Schema {
  return {
    type: 'object',
    additionalProperties: false,
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(anyOf ? { anyOf: anyOf.map((name) => ({ required: [name] })) } : {}),
  };
}

const message = object({ text, markdown: text, id: text }, [], ['text', 'id']);
const multiformat = object({ text, markdown: text }, ['text']);
const artifactLocation = object({ uri: { type: 'string', format: 'uri-reference' }, index });
const region = object(
  { startLine: { type: 'integer', minimum: 1 }, snippet: object({ text }) },
  [],
  ['startLine', 'charOffset', 'byteOffset'],
);
const physicalLocation = object({ artifactLocation, region, properties: bag }, [], ['address', 'artifactLocation']);
const location = object({
  id: index,
  physicalLocation,
  logicalLocations: list(object({ fullyQualifiedName: text, kind: text }), true),
  message,
});
const result = object(
  {
    ruleId: text,
    ruleIndex: index,
    level,
    message,
    locations: list(location),
    relatedLocations: list(location, true),
    partialFingerprints: { type: 'object', additionalProperties: text },
    properties: bag,
  },
  ['message'],
);
const descriptor = object(
  {
    id: text,
    name: text,
    shortDescription: multiformat,
    fullDescription: multiformat,
    help: multiformat,
    defaultConfiguration: object({ level }),
    properties: bag,
  },
  ['id'],
);
const run = object(
  {
    tool: object({ driver: object({ name: text, version: text, rules: list(descriptor, true) }, ['name']) }, [
      'driver',
    ]),
    columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
    artifacts: list(object({ location: artifactLocation }), true),
    invocations: list(
      object(
        {
          executionSuccessful: { type: 'boolean' },
          toolExecutionNotifications: list(object({ message, level }, ['message'])),
        },
        ['executionSuccessful'],
      ),
    ),
    results: list(result),
  },
  ['tool'],
);

/** A SARIF log. */
export const sarifSchema: Schema = object(
  {
    $schema: { type: 'string', format: 'uri' },
    version: { enum: ['2.1.0'] },
    runs: list(run),
  },
  ['version', 'runs'],
);
