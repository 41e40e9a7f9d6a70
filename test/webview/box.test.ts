// The box of the timeline: words choose lanes, filters choose events; what is wrong and how to go on stands below it.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { color, cursor, ENTRY, opened, rowOf, share, useBrowser } from './looking.ts';
import { load, openTimeline, settle } from './page.ts';

const box = (page: Page) => page.locator('.query input');
const problem = (page: Page) => page.locator('.query-problem');
const options = (page: Page) => page.locator('.query-option');
const count = (page: Page): Promise<string> => page.locator('.hit-count').innerText();

/** Types as a user does, and waits until nothing more happens; the pause before events are looked for is over then. */
async function type(page: Page, text: string): Promise<void> {
  await box(page).click();
  await box(page).press('ControlOrMeta+a');
  await (text === '' ? page.keyboard.press('Delete') : page.keyboard.type(text));
  await page.waitForTimeout(300);
  await settle(page);
}

/** Steps of the events in the capture whose kind has a name. */
const stepsOf = (page: Page, kind: string): Promise<number[]> =>
  page.evaluate((kind) => {
    const { trace } = globalThis.harness.session;
    return Array.from({ length: trace.length }, (_, i) => i).filter((i) => trace.table.kind(i).name === kind);
  }, kind);

const lanes = (page: Page): Promise<string[]> =>
  page.locator('.name:visible').evaluateAll((all) => all.map((name) => name.getAttribute('data-path') ?? ''));

const sentOf = (page: Page, start: string): Promise<number> =>
  page.evaluate((start) => globalThis.harness.sent.filter((m) => m.method?.startsWith(start)).length, start);

describe('the box of the timeline', () => {
  const browser = useBrowser();

  it('takes words as it always did: they choose lanes, and no event is looked for', async () => {
    const { page, errors } = await opened(browser());
    const all = await lanes(page);
    await type(page, '03.0 MSIX/1');
    assert.deepEqual(await lanes(page), ['device', 'device/0000:00:03.0', 'device/0000:00:03.0/msix/1']);
    await type(page, '"03.0 MSIX/1"');
    assert.deepEqual(await lanes(page), [], 'in quotes it is one word');
    const none = page.locator('.no-lane');
    assert.match(await none.innerText(), /^No lane has "03\.0 MSIX\/1" in its name or path\./);
    await type(page, 'entry.mask');
    // What was meant as a filter of events says how it is written as one.
    assert.match(await none.innerText(), /^No lane has entry\.mask .*\(entry\.mask\)/);
    await type(page, '');
    assert.deepEqual(await lanes(page), all);
    assert.equal(await none.isVisible(), false);
    assert.equal(await sentOf(page, 'query/'), 0);
    assert.equal(await page.locator('.hits').isVisible(), false);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('says below a filter what is wrong with it, and at which column', async () => {
    const { page } = await opened(browser());
    const all = await lanes(page);
    await type(page, 'kind == tbl.wirte');
    assert.equal(
      await problem(page).innerText(),
      'Column 9: there is no event kind tbl.wirte; did you mean tbl.write, pba.write?',
    );
    assert.equal(await box(page).getAttribute('aria-invalid'), 'true');
    const [above, below] = await Promise.all([box(page).boundingBox(), problem(page).boundingBox()]);
    assert.ok(below!.y >= above!.y + above!.height - 2);
    await type(page, 'kind == send &&');
    // Nothing is wrong with a filter that is not at its end.
    assert.match(await problem(page).innerText(), /^expected/);
    assert.equal(await box(page).getAttribute('aria-invalid'), null);
    assert.deepEqual(await lanes(page), all, 'a filter hides no lane');
    assert.equal(await page.evaluate(() => globalThis.harness.session.search?.text ?? ''), '');
    await page.locator('canvas.overlay').focus();
    assert.equal(await problem(page).isVisible(), false, 'nothing covers the lanes when the focus is elsewhere');
    await page.context().close();
  });

  it('offers ways to go on, which keys and clicks take', async () => {
    const { page, errors } = await opened(browser());
    await type(page, 'kind == tbl.wr');
    const first = options(page).first();
    assert.equal(await problem(page).isVisible(), false, 'a word that is not whole yet is not wrong');
    assert.match(await first.innerText(), /^tbl\.write/);
    assert.equal(await box(page).getAttribute('aria-expanded'), 'true');
    await page.keyboard.press('ArrowDown');
    const active = await box(page).getAttribute('aria-activedescendant');
    assert.equal(await page.locator(`[id="${active}"]`).getAttribute('aria-selected'), 'true');
    await page.keyboard.press('Enter');
    await settle(page);
    assert.equal(await box(page).inputValue(), 'kind == tbl.write ');
    assert.equal(await cursor(page), -1, 'Enter took the option, and went nowhere');
    // In the middle of a text the rest stays.
    await type(page, 'kin == send');
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Control+Space');
    await settle(page);
    await options(page).first().click();
    assert.equal(await box(page).inputValue(), 'kind == send');
    assert.ok(await box(page).evaluate((input) => document.activeElement === input));
    await page.keyboard.press('Escape');
    assert.equal(await options(page).count(), 0);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('finds events while one types; Enter and Shift+Enter go from hit to hit, and round', async () => {
    const { page, errors } = await opened(browser());
    const sends = await stepsOf(page, 'send');
    await type(page, 'kind == send');
    const all = sends.length.toLocaleString('en');
    assert.equal(await count(page), `${all} events`);
    await page.keyboard.press('Enter');
    await settle(page);
    assert.equal(await cursor(page), sends[0]);
    assert.equal(await count(page), `1 of ${all} events`);
    await page.keyboard.press('Enter');
    await settle(page);
    assert.equal(await cursor(page), sends[1]);
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.press('Shift+Enter');
    await settle(page);
    assert.equal(await cursor(page), sends.at(-1));
    await page.getByRole('button', { name: 'Next Event That Fits' }).click();
    await settle(page);
    assert.equal(await cursor(page), sends[0]);
    // Enter right behind the last letter looks at once.
    await box(page).click();
    await box(page).press('ControlOrMeta+a');
    await page.keyboard.type('kind == irte.read');
    await page.keyboard.press('Enter');
    await settle(page);
    assert.equal(
      await cursor(page),
      (await stepsOf(page, 'irte.read')).find((step) => step > sends[0]!),
    );
    await page.keyboard.press('Escape');
    await settle(page);
    assert.equal(await box(page).inputValue(), '');
    assert.equal(await page.locator('.hits').isVisible(), false);
    assert.equal(await page.evaluate(() => globalThis.harness.session.search), undefined);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('dims the events that do not fit, or leaves them out with their lanes', async () => {
    const { page } = await opened(browser());
    // Shades of the foreground stand for table writes, green for messages: entry 0 has both.
    const green = await color(page, '--vscode-charts-green');
    const white = await color(page, '--vscode-editor-foreground');
    const all = { x: 0, y: (await rowOf(page, ENTRY)) - 10, width: 800, height: 20 };
    const strong = (rgb: readonly [number, number, number]): Promise<number> =>
      share(page, 'canvas.lanes-picture', all, rgb);
    const before = await strong(white);
    assert.ok(before > 0, 'writes are drawn');
    await type(page, 'kind == send');
    assert.ok((await strong(white)) < before / 3, 'writes are pale');
    assert.ok((await strong(green)) > 0, 'messages are not');
    const shown = await lanes(page);
    await page.getByRole('checkbox', { name: 'Hits only' }).click();
    await settle(page);
    const left = await lanes(page);
    assert.ok(left.includes(ENTRY) && shown.some((lane) => !left.includes(lane)));
    const sending = await page.evaluate(() => {
      const { trace, search } = globalThis.harness.session;
      const paths = new Set<string>();
      for (let i = 0; i < search!.hits.size; i++) paths.add(trace.world.path(trace.table.object(search!.hits.at(i))));
      return [...paths];
    });
    for (const lane of left)
      assert.ok(
        sending.some((path) => path === lane || path.startsWith(`${lane}/`)),
        lane,
      );
    assert.equal(await strong(white), 0, 'writes are gone');
    await type(page, 'kind == send && vector == 999999');
    assert.deepEqual(await lanes(page), []);
    assert.match(await page.locator('.no-lane').innerText(), /^No event fits\. Without “Hits only”/);
    await page.getByRole('button', { name: 'Clear Filter' }).click();
    await settle(page);
    assert.deepEqual(await lanes(page), shown);
    assert.equal(await strong(white), before);
    await page.context().close();
  });

  it('shows the filter of a search that began elsewhere, but never over words or under the hands of the user', async () => {
    const { page } = await opened(browser());
    const search = async (filter: string): Promise<void> => {
      await page.evaluate((filter) => globalThis.harness.search(filter), filter);
      await settle(page);
    };
    await search('kind == send');
    assert.equal(await box(page).inputValue(), 'kind == send');
    await search('kind == irte.read');
    assert.equal(await box(page).inputValue(), 'kind == irte.read');
    await search('');
    assert.equal(await box(page).inputValue(), '');
    await type(page, 'nvme');
    await page.locator('canvas.overlay').focus();
    await search('kind == send');
    assert.equal(await box(page).inputValue(), 'nvme');
    assert.match(await count(page), /events$/);
    assert.equal(await page.locator('.hit-count').getAttribute('title'), 'kind == send');
    await type(page, 'nvme MSIX');
    assert.match(await count(page), /events$/, 'words do not end a search that they did not begin');
    await type(page, 'kind == send && ');
    await search('kind == irte.read');
    assert.equal(await box(page).inputValue(), 'kind == send && ');
    await page.context().close();
  });

  it('comes back with its words, and with the filter of the trace', async () => {
    const first = await opened(browser());
    await type(first.page, 'nvme');
    await first.page.waitForTimeout(400);
    const left = await first.page.evaluate(() => globalThis.harness.state);
    const second = await opened(browser(), { state: left });
    assert.equal(await box(second.page).inputValue(), 'nvme');
    assert.ok((await lanes(second.page)).length < 20);
    for (const { page } of [first, second]) await page.context().close();
  });

  it('leaves the tools in one line beside a text that has half of a usual window', async () => {
    const { page } = await opened(browser(), { viewport: { width: 571, height: 500 } });
    const tops = await page
      .locator('.toolbar vscode-button:visible')
      .evaluateAll((all) => all.map((button) => Math.round(button.getBoundingClientRect().top)));
    assert.ok(tops.length > 8);
    assert.deepEqual([...new Set(tops)].length, 1, tops.join(' '));
    await page.context().close();
  });

  it('is reached by Control and F', async () => {
    const { page } = await opened(browser());
    await page.locator('canvas.overlay').focus();
    await page.keyboard.press('Control+f');
    assert.ok(await box(page).evaluate((input) => document.activeElement === input));
    await page.context().close();
  });

  it('can be stopped in a long trace, and shows how far it came', async () => {
    const { page } = await opened(browser());
    await page.evaluate(() => {
      globalThis.harness.pause = 1500;
      // Asks after the state of each event: slow, and it has to go over the trace in order.
      void globalThis.harness.search('after(entry.mask && dt.object > 1us, 10s, device) && irte.vector > 300');
    });
    const stop = page.getByRole('button', { name: 'Stop Looking' });
    await stop.click({ timeout: 20_000 });
    await settle(page);
    assert.match(await count(page), /stopped at \d+ %$/);
    const { done, length } = await page.evaluate(() => {
      const { search, trace } = globalThis.harness.session;
      return { done: search!.done, length: trace.length };
    });
    assert.ok(done > 0 && done < length);
    assert.equal(await stop.isVisible(), false);
    await page.context().close();
  });

  it('shows texts of a trace as text', async () => {
    const { page, errors } = await openTimeline(browser());
    const evil = '<img src=x onerror="document.title=\'owned\'">';
    const line = (time: string, what: string): string => `          sh-1  [000] .....  ${time}: ${what}\n`;
    const trace = `# tracer: nop\n#\n${line('10.000001', `tracing_mark_write: ${evil}`)}${line('10.000500', 'irq_handler_entry: irq=9 name=<b>acpi</b>')}`;
    await load(page, 'evil.txt', trace);
    await type(page, 'irq.name == ');
    assert.ok((await options(page).allInnerTexts()).some((option) => option.includes('<b>acpi</b>')));
    await type(page, 'kind == <b>x</b>');
    assert.match(await problem(page).innerText(), /Column/);
    assert.equal(await page.locator('#timeline img, #timeline b').count(), 0);
    assert.equal(await page.title(), 'Timeline');
    assert.deepEqual(errors, []);
    await page.context().close();
  });
});

describe('pins of findings', () => {
  const browser = useBrowser();

  it('say what was found, where, and lead to it', async () => {
    const { page, errors } = await opened(browser());
    const place = await page.evaluate(() => {
      const { session } = globalThis.harness;
      const { trace } = session;
      const step = trace.world.find('device/0000:00:03.0/msix/5')!.object;
      const at = Array.from({ length: trace.length }, (_, i) => i).find((i) => trace.table.object(i) === step)!;
      globalThis.harness.find([
        { step: at, severity: 'error', rule: { id: 'F01' }, title: 'entry 5 is <b>lost</b>' },
        { step: at, severity: 'warning', rule: { id: 'F30' }, title: 'entry 5 is slow' },
      ]);
      return { step: at, x: trace.table.time(at) };
    });
    await settle(page);
    const canvas = (await page.locator('canvas.overlay').boundingBox())!;
    const { from, to } = await page.evaluate(() => globalThis.harness.state as { from: number; to: number });
    const x = canvas.x + (canvas.width * (place.x - from)) / (to - from);
    const y = canvas.y + (await rowOf(page, 'device/0000:00:03.0/msix/5'));
    const tooltip = page.locator('.tooltip');
    await page.mouse.move(x - 40, y - 8);
    await page.mouse.move(x, y - 9);
    await tooltip.waitFor();
    const said = await tooltip.innerText();
    assert.match(
      said,
      /^entry 5 is <b>lost<\/b>\nF01, error\s+step \d+, 1795148664\.\d{6}, device\/0000:00:03\.0\/msix\/5\n/,
    );
    assert.ok(said.includes(`step ${place.step},`));
    assert.match(said, /\nentry 5 is slow\nF30, warning/);
    assert.match(said, /\nClick: go there, and show it in the view Findings$/);
    assert.equal(await page.locator('canvas.overlay').evaluate((one) => getComputedStyle(one).cursor), 'pointer');
    await page.mouse.click(x, y - 9);
    await settle(page);
    const wanted = await page.evaluate(() => globalThis.harness.wanted);
    assert.deepEqual([wanted?.rule.id, wanted?.step], ['F01', place.step]);
    assert.equal(await cursor(page), -1, 'the command moves the cursor');
    // Beside the pin the lane itself is told of.
    await page.mouse.move(x, y + 4);
    await page.mouse.move(x, y + 5);
    await tooltip.getByText('MSI-X 5').waitFor();
    assert.deepEqual(errors, []);
    await page.context().close();
  });
});
