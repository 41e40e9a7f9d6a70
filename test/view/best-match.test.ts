// Which row a typed text means.
import assert from 'node:assert/strict';
import { vocabulary } from '../../src/model/vocabulary.ts';
import { bundledScenarios } from '../../src/sim/bundled.ts';
import { bestMatch } from '../../src/view/best-match.ts';

const of = (names: readonly string[], typed: string): string | undefined => bestMatch(names, typed, (name) => [name]);

describe('the row that a typed text means', () => {
  it('is the one of that whole name, whatever stands before it', () => {
    const names = ['msg.write.late', 'a msg.write', 'msg.write', 'msg.writes'];
    assert.equal(of(names, 'msg.write'), 'msg.write');
    assert.equal(of(names, ' MSG.Write '), 'msg.write');
  });

  it('else begins with it, else has a word that begins with it, else contains it; the first of equals', () => {
    assert.equal(of(['the raise', 'raised', 'raise it'], 'raise'), 'raised');
    assert.equal(of(['upraise', 'the raise', 'a raise'], 'raise'), 'the raise');
    assert.equal(of(['upraise', 'praised'], 'raise'), 'upraise');
    assert.equal(of(['praise dev.raise'], 'raise'), 'praise dev.raise');
  });

  it('is none when nothing is typed, or nothing contains it', () => {
    assert.equal(of(['a', 'b'], ''), undefined);
    assert.equal(of(['a', 'b'], '  '), undefined);
    assert.equal(of(['a', 'b'], 'c'), undefined);
    assert.equal(of([], 'c'), undefined);
  });

  it('is found for every scenario by its id and by its title, and for every kind of event by its name', () => {
    const names = ({ id, document }: (typeof bundledScenarios)[number]): string[] => [
      id,
      (document as { title: string }).title,
    ];
    for (const scenario of bundledScenarios)
      for (const name of names(scenario)) assert.equal(bestMatch(bundledScenarios, name, names), scenario, name);
    for (const kind of vocabulary)
      assert.equal(
        bestMatch(vocabulary, kind.name, ({ name }) => [name]),
        kind,
      );
  });
});
