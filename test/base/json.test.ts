// Messages about JSON documents stay short and on one line, whatever stands in the document.
import assert from 'node:assert/strict';
import { documentFault } from '../../src/base/json.ts';
import { readSuppressions } from '../../src/check/user/suppressions.ts';
import { readSessionFile, SessionFileError } from '../../src/session/session-file.ts';

describe('faults of JSON documents', () => {
  it('short ones are told as they are', () => {
    assert.equal(documentFault('sources.0.file', 'Invalid type'), 'sources.0.file: Invalid type');
    assert.equal(documentFault(null, 'Invalid type'), 'the document: Invalid type');
  });

  it('long names and texts of the document are shown without their middle', () => {
    const long = `first\n${'a/'.repeat(5000)}last`;
    const says = (problem: unknown): problem is string =>
      typeof problem === 'string' && /^[^\n]{5,600}$/.test(problem) && problem.includes('…');
    assert.ok(says(readSuppressions(JSON.stringify({ suppressed: long }))));
    const sessions = [
      { irqsession: 1, sources: long },
      { irqsession: 1, sources: [{ file: 'a', [long]: 1 }] },
      { irqsession: 1, sources: [{ file: 'a', files: { [long]: { system: 1 } } }] },
    ];
    let refused = 0;
    for (const session of sessions) {
      try {
        readSessionFile(JSON.stringify(session));
      } catch (error) {
        assert.ok(error instanceof SessionFileError && says(error.message), String(error));
        refused++;
      }
    }
    assert.equal(refused, sessions.length);
  });

  it('what fails a check of its value is told in plain words', () => {
    const says = (step: unknown, system = 'a'): string => {
      try {
        readSessionFile(JSON.stringify({ irqsession: 1, sources: [{ file: 'a', system }], cursor: step }));
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
      return 'read';
    };
    assert.equal(says(0), 'read');
    assert.equal(says(-1), 'cursor: expected a number >=0, found -1');
    assert.equal(says(1.5), 'cursor: expected a whole number, found 1.5');
    assert.doesNotMatch(says(0, ''), /Invalid/);
  });
});
