// The timeline of two traces that are compared, as a user sees and handles it.
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { BAD, ENTRY, GOOD, textOf } from './comparing.ts';
import { color, pictureBox, share, shown, useBrowser } from './looking.ts';
import { openTimeline, type PageOptions, settle, type TimelinePage } from './page.ts';

const ROW = 24;
/** Half the side of a frame. */
const HALF = 8;

async function compared(browser: Browser, options: PageOptions = {}): Promise<TimelinePage> {
  const opened = await openTimeline(browser, options);
  await opened.page.evaluate(
    ([a, b]) => globalThis.harness.loadTwo(['good.log', a!], ['bad.log', b!]),
    [textOf(GOOD), textOf(BAD)],
  );
  await opened.page.locator('.name').first().waitFor();
  await settle(opened.page);
  return opened;
}

const nameOf = (page: Page, side: 'a' | 'b', path: string) =>
  page.locator(`.name[data-path="${path}"][data-side="${side}"]:visible`);

/** Middle of the row of a lane, measured from the top of the picture. */
async function middleOf(page: Page, side: 'a' | 'b', path: string): Promise<number> {
  const name = (await nameOf(page, side, path).boundingBox()) ?? assert.fail(`no row ${side} ${path}`);
  return name.y + ROW / 2 - (await pictureBox(page)).y;
}

/** Where a place lies in the picture, by the part of the axis that the page remembers. */
async function pixelOf(page: Page, place: number): Promise<number> {
  const { from, to } = await page.evaluate(() => globalThis.harness.state as { from: number; to: number });
  return ((await pictureBox(page)).width * (place - from)) / (to - from);
}

type Spot = 'corner' | 'side' | 'tip';

/** Share of a colour in a spot of a frame: at its upper left corner, in the middle of its left side, or at its upper tip. */
async function frameAt(page: Page, side: 'a' | 'b', path: string, place: number, spot: Spot, variable: string) {
  const [x, y] = [Math.round(await pixelOf(page, place)), await middleOf(page, side, path)];
  const at = { corner: [x - HALF, y - HALF], side: [x - HALF, y + 6], tip: [x, y - HALF] }[spot] as [number, number];
  const box = { x: at[0] - 2, y: at[1] - 2, width: 5, height: 5 };
  return share(page, 'canvas.lanes-picture', box, await color(page, variable));
}

const cursors = (page: Page): Promise<readonly [number, number, string]> =>
  page.evaluate(() => {
    const { a, b, now } = globalThis.harness.compared!;
    return [a.session.cursor, b.session.cursor, now] as const;
  });

describe('timeline of two traces', () => {
  const browser = useBrowser();

  it('has the lane of A above that of B for the same thing, with the names of the traces, and raises no error', async () => {
    const { page, errors } = await compared(browser());
    const names = (await page.locator('.name:visible').allInnerTexts()).map((text) =>
      text.split(/\s+/).join(' ').trim(),
    );
    const irq = names.findIndex((name) => /^A .*41.*good\.log$/.test(name));
    assert.ok(irq > 0, names.join(' | '));
    assert.match(names[irq + 1]!, /^B .*43.*bad\.log$/);
    // Open groups without events of their own stand for both.
    assert.deepEqual(
      names.filter((name) => !/^[AB] /.test(name)),
      ['Devices', 'Interrupts', 'CPUs'],
    );
    const letters = names.filter((name) => /^[AB] /.test(name)).map((name) => name[0]);
    assert.ok(letters.length >= 6 && letters.every((letter, i) => letter === 'AB'[i % 2]), letters.join(''));
    assert.equal(await page.locator('.corner').innerText(), 'Place in both');
    assert.equal(await page.locator('vscode-checkbox', { hasText: 'Equal steps' }).isVisible(), false);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  for (const theme of ['dark', 'light', 'highContrast', 'highContrastLight'] as const) {
    it(`frames what differs, each kind in a colour and a shape of its own: ${theme}`, async () => {
      const { page } = await compared(browser(), { theme });
      const colors = { changed: '--vscode-charts-blue', here: '--vscode-charts-green', missing: '--vscode-charts-red' };
      const spots = async (side: 'a' | 'b', path: string, place: number, kind: keyof typeof colors) => {
        const found: Spot[] = [];
        for (const spot of ['corner', 'side', 'tip'] as const)
          if ((await frameAt(page, side, path, place, spot, colors[kind])) > 0.05) found.push(spot);
        return found;
      };
      assert.deepEqual(await spots('a', 'irq/41', 2, 'changed'), ['tip'], 'a diamond');
      assert.deepEqual(await spots('b', 'irq/43', 2, 'changed'), ['tip']);
      assert.deepEqual(await spots('b', ENTRY, 5, 'here'), ['corner', 'side', 'tip'], 'a square');
      const [x, y] = [await pixelOf(page, 5), await middleOf(page, 'a', ENTRY)];
      const box = { x: x - HALF, y: y - HALF, width: 2 * HALF, height: 2 * HALF };
      const red = await color(page, colors.missing);
      const empty = await share(page, 'canvas.lanes-picture', box, red);
      assert.ok(empty > 0.05 && empty < 0.3, `the sign of the empty set: ${empty}`);
      assert.deepEqual(await spots('a', ENTRY, 5, 'missing'), [], 'it reaches neither side nor tip');
      // A cross, the sign of a fault, has nothing above its middle.
      const above = { x: Math.round(x) - 1, y: Math.round(y) - 7, width: 3, height: 5 };
      assert.ok((await share(page, 'canvas.lanes-picture', above, red)) > 0.1, 'a ring');
      // Where nothing differs there are no frames.
      const plain = { ...box, x: (await pixelOf(page, 4)) - HALF };
      for (const variable of [colors.missing, colors.changed])
        assert.equal(await share(page, 'canvas.lanes-picture', plain, await color(page, variable)), 0);
      await page.context().close();
    });
  }

  it('has events that stand for each other at the same place of the picture', async () => {
    const { page } = await compared(browser());
    const background = await color(page, '--vscode-editor-background');
    // Vertical stripes of both rows that hold anything but background, at places with an event and between them.
    const drawn = async (side: 'a' | 'b', path: string, place: number): Promise<boolean> => {
      const [x, y] = [Math.round(await pixelOf(page, place)), await middleOf(page, side, path)];
      const box = { x: x - 2, y: y - 10, width: 5, height: 20 };
      return (await share(page, 'canvas.lanes-picture', box, background)) < 0.8;
    };
    for (const [side, path, places] of [
      ['a', ENTRY, [3, 4]],
      ['b', ENTRY, [3, 4, 5]],
    ] as const)
      for (const place of [3, 3.5, 4, 4.5, 5.5, 6.5])
        assert.equal(
          await drawn(side, path, place),
          (places as readonly number[]).includes(place),
          `${side} ${path} at ${place}`,
        );
    await page.context().close();
  });

  it('takes both cursors to an event by a click, to that of B where only B has one, and says what is there', async () => {
    const { page } = await compared(browser());
    const box = await pictureBox(page);
    const click = async (side: 'a' | 'b', path: string, place: number): Promise<void> => {
      await page.mouse.click(box.x + (await pixelOf(page, place)), box.y + (await middleOf(page, side, path)));
      await settle(page);
    };
    await click('a', 'irq/41', 6);
    assert.deepEqual(await cursors(page), [5, 6, 'a']);
    assert.equal(
      await page.locator('.status .cursor-event').textContent(),
      'A 5 · B 6  A: irq.entry irq/41 name=eth0  B: irq.entry irq/43 name=eth0',
    );
    // A ring is around the event of each trace.
    const ring = async (side: 'a' | 'b', path: string): Promise<number> => {
      const [x, y] = [await pixelOf(page, 6), await middleOf(page, side, path)];
      const around = { x: x - 13, y: y - 13, width: 26, height: 26 };
      return share(page, 'canvas.overlay', around, await color(page, '--vscode-editorCursor-foreground'));
    };
    const [own, other] = [await ring('a', 'irq/41'), await ring('b', 'irq/43')];
    assert.ok(own > 0.05 && other > 0.05, `${own}, ${other}`);
    assert.equal(await ring('a', ENTRY), await ring('b', ENTRY), 'around no other');
    await click('a', ENTRY, 5);
    assert.deepEqual(await cursors(page), [4, 5, 'b']);
    assert.deepEqual(await page.evaluate(() => globalThis.harness.compared!.went.at(-1)), { side: 'b', step: 5 });
    await page.context().close();
  });

  it('shows the place that a row of the comparison leads to', async () => {
    const { page } = await compared(browser());
    await page.locator('canvas.overlay').focus();
    for (let i = 0; i < 6; i++) await page.keyboard.press('+');
    await page.keyboard.press('Home');
    await nameOf(page, 'a', 'device').locator('.twisty').click();
    await settle(page);
    assert.equal(await nameOf(page, 'b', ENTRY).count(), 0);
    await page.evaluate(() => globalThis.harness.reveal(undefined, 5));
    await settle(page);
    await nameOf(page, 'b', ENTRY).waitFor();
    const { from, to, focused } = await shown(page);
    assert.ok(from <= 5 && to >= 5, `${from} to ${to}`);
    assert.equal(focused, ENTRY);
    assert.ok(await nameOf(page, 'b', ENTRY).evaluate((element) => element.classList.contains('focused')));
    await page.context().close();
  });

  it('opens and closes groups of both together, and marks in them what differs below', async () => {
    const { page } = await compared(browser());
    const before = await page.locator('.name:visible').count();
    await nameOf(page, 'a', 'device').locator('.twisty').click();
    await settle(page);
    assert.equal(await nameOf(page, 'a', ENTRY).count(), 0);
    assert.equal(await nameOf(page, 'b', ENTRY).count(), 0);
    assert.ok((await frameAt(page, 'b', 'device', 5, 'corner', '--vscode-charts-green')) > 0.05);
    await nameOf(page, 'b', 'device').focus();
    await page.keyboard.press('ArrowRight');
    await settle(page);
    assert.equal(await page.locator('.name:visible').count(), before, 'the lane of B opens the group too');
    await page.locator('.query-input, input').first().fill('43');
    await settle(page);
    assert.equal(await nameOf(page, 'a', 'irq/41').count(), 1, 'a lane stays with its twin');
    await page.context().close();
  });

  it('has a table with what the other trace has, for those who do not see the picture', async () => {
    const { page } = await compared(browser());
    await nameOf(page, 'a', ENTRY).locator('.label').click();
    await page.locator('table caption', { hasText: 'A MSI-X 0' }).waitFor({ state: 'attached' });
    const cells = async (of: string): Promise<string[]> => page.locator(of).allTextContents();
    assert.deepEqual(await cells('table thead th'), ['Step', 'Time', 'Event', 'In bad.log']);
    assert.deepEqual(await cells('table tbody tr:nth-child(2) td'), [
      ...['4', '0.004000', `dev.raise ${ENTRY} vector=0`, 'step 4, the same'],
    ]);
    assert.deepEqual(await cells('table tbody tr:nth-child(3) td'), [
      ...['–', '', 'no such event', `step 5, only there: dev.raise ${ENTRY} vector=0`],
    ]);
    const row = nameOf(page, 'b', ENTRY);
    const [level, position, size] = await row.evaluate((element) =>
      ['aria-level', 'aria-posinset', 'aria-setsize'].map((name) => element.getAttribute(name)),
    );
    assert.deepEqual([level, position, size], ['3', '2', '2']);
    await page.context().close();
  });

  it('tells at the pointer how an event differs', async () => {
    const { page } = await compared(browser());
    const box = await pictureBox(page);
    const [x, y] = [await pixelOf(page, 2), await middleOf(page, 'b', 'irq/43')];
    await page.mouse.move(box.x + x - 30, box.y + y);
    await page.mouse.move(box.x + x, box.y + y);
    await page.locator('.tooltip:visible').waitFor();
    assert.match(
      await page.locator('.tooltip').innerText(),
      /^B .*\n(.*\n)*.*vec\.update irq\/43 vector=35.* · vector: 33 → 35/,
    );
    await page.context().close();
  });

  it('shows two steps of one trace, and gives way to a trace alone', async () => {
    const { page, errors } = await compared(browser());
    await page.evaluate((text) => globalThis.harness.loadSteps('good.log', text, [2, 5]), textOf(GOOD));
    await settle(page);
    const names = (await page.locator('.name:visible').allInnerTexts()).map((text) =>
      text.split(/\s+/).join(' ').trim(),
    );
    assert.ok(names.some((name) => /^A .*41.*after step 2$/.test(name)));
    assert.ok(names.some((name) => /^B .*41.*after step 5$/.test(name)));
    await page.evaluate((text) => globalThis.harness.load('good.log', text), textOf(GOOD));
    await settle(page);
    assert.equal(await page.locator('.name[data-side]:visible').count(), 0);
    assert.equal(await page.locator('.corner').innerText(), 'Time (s)');
    assert.deepEqual(errors, []);
    await page.context().close();
  });
});
