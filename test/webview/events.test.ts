// The list of events as a user sees and handles it, in plain Chromium, with the example capture and the real host end.
import assert from 'node:assert/strict';
import {
  asked,
  cells,
  cursor,
  indices,
  move,
  opened,
  press,
  ROW,
  search,
  selected,
  stepsOf,
} from './events-looking.ts';
import { text, useBrowser } from './looking.ts';
import { openEvents, settle } from './page.ts';

const lines = text.split('\n');

describe('list of events', () => {
  const browser = useBrowser();

  it('shows what each event says, with the time since the event before', async () => {
    const { page, errors } = await opened(browser());
    await move(page, 4744);
    const line = await page.evaluate(() => globalThis.events.session.trace.table.line(4744));
    // docs/filter.md shows the same event; its line in the capture tells stamp and write.
    assert.match(lines[line - 1]!, /^\d+@1795148664\.615000:\w+ cpu 3 .* addr 0xfe7c200c value 0x1 size 4 /);
    const [step, time, dt, cpu, kind, object, args] = await cells(page, 4744);
    assert.deepEqual(
      [step, time, cpu, kind, object, args],
      ['4744', '1795148664.615000', '3', 'tbl.write', 'device/0000:00:03.0/msix/0', 'offset=0xc size=4 value=0x1'],
    );
    const [, before] = await cells(page, 4743);
    assert.equal(dt, `${Number(time!.slice(-6)) - Number(before!.slice(-6))} µs`);
    assert.deepEqual(await page.locator('[role=columnheader]:visible').allInnerTexts(), [
      ...['Step', 'Time', 'dt', 'CPU', 'Kind', 'Object', 'Arguments'],
    ]);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('fetches only the rows on display and some around them, and keeps only those in the page', async () => {
    const { page } = await opened(browser());
    const fit = Math.ceil((await page.locator('.scroller').evaluate((one) => one.clientHeight)) / ROW);
    assert.ok((await indices(page)).length <= fit + 1);
    for (const { count } of await asked(page)) assert.ok(count <= 3 * (fit + 1), `${count} rows`);
    const before = (await asked(page)).length;
    const box = (await page.locator('.scroller').boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + 50);
    await page.mouse.wheel(0, 3 * ROW);
    await settle(page);
    assert.equal((await indices(page))[0], 3);
    assert.equal((await asked(page)).length, before, 'the rows around were there');
    assert.deepEqual((await cells(page, 5)).slice(0, 1), ['5']);
    await page.mouse.wheel(0, 500 * ROW);
    await settle(page);
    assert.equal((await indices(page))[0], 503);
    assert.deepEqual((await cells(page, 505)).slice(0, 1), ['505']);
    assert.ok((await page.locator('.view .row').count()) <= fit + 2);
    await page.context().close();
  });

  it('scrolls ten million events, row by row and by the scroll bar', async () => {
    const { page, errors } = await opened(browser(), 288);
    const length = await page.evaluate(() => globalThis.events.session.trace.length);
    assert.ok(length > 10_000_000, String(length));
    assert.equal(await page.locator('.grid').getAttribute('aria-rowcount'), String(length + 1));
    await page.locator('.grid').focus();
    await press(page, 'End');
    const last = (await indices(page)).at(-1);
    assert.equal(last, length - 1);
    assert.deepEqual((await cells(page, length - 1)).slice(0, 1), [String(length - 1)]);
    assert.equal(await cursor(page), length - 1);
    await press(page, 'ArrowUp', 'ArrowUp');
    assert.equal(await cursor(page), length - 3);
    // Each row can be reached, although a pixel of the scroll bar stands for many.
    const box = (await page.locator('.scroller').boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + 50);
    const first = (await indices(page))[0]!;
    await page.mouse.wheel(0, -ROW);
    await settle(page);
    assert.equal((await indices(page))[0], first - 1);
    await page.locator('.scroller').evaluate((scroller) => {
      scroller.scrollTop = (scroller.scrollHeight - scroller.clientHeight) / 2;
    });
    await settle(page);
    const middle = (await indices(page))[0]!;
    assert.ok(Math.abs(middle - length / 2) < length / 100_000, `${middle} of ${length}`);
    assert.deepEqual((await cells(page, middle + 1)).slice(0, 1), [String(middle + 1)]);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('moves the cursor by a click and by keys', async () => {
    const { page } = await opened(browser());
    await page.locator('.view [aria-rowindex="5"]').click();
    await settle(page);
    assert.equal(await cursor(page), 3);
    assert.deepEqual(await selected(page), [3]);
    const fit = Math.floor((await page.locator('.scroller').evaluate((one) => one.clientHeight)) / ROW);
    await press(page, 'ArrowDown', 'ArrowDown');
    assert.equal(await cursor(page), 5);
    await press(page, 'ArrowUp');
    assert.equal(await cursor(page), 4);
    await press(page, 'PageDown');
    assert.equal(await cursor(page), 4 + fit - 1);
    await press(page, 'PageUp');
    assert.equal(await cursor(page), 4);
    await press(page, 'End');
    const length = await page.evaluate(() => globalThis.events.session.trace.length);
    assert.equal(await cursor(page), length - 1);
    await press(page, 'Home');
    assert.equal(await cursor(page), 0);
    await press(page, 'ArrowUp');
    assert.equal(await cursor(page), 0);
    // A key that is held down loses no row, however late the answers are.
    await page.evaluate(() => {
      globalThis.events.delay = 60;
    });
    await press(page, ...Array.from({ length: 25 }, () => 'ArrowDown'));
    assert.equal(await cursor(page), 25);
    assert.deepEqual(await selected(page), [25]);
    await page.context().close();
  });

  it('follows the cursor when it is moved elsewhere, also between its rows', async () => {
    const { page } = await opened(browser());
    await move(page, 20_000);
    assert.ok((await indices(page)).includes(20_000));
    assert.deepEqual(await selected(page), [20_000]);
    assert.equal(await page.locator('.row.cursor').getAttribute('aria-rowindex'), '20002');
    await search(page, 'kind == send');
    const sends = await stepsOf(page, 'send');
    assert.equal(await page.locator('.grid').getAttribute('aria-rowcount'), String(sends.length + 1));
    const next = sends.findIndex((step) => step >= 20_000);
    assert.ok(sends[next] !== 20_000);
    assert.equal(await page.locator('.row.cursor-above').getAttribute('aria-rowindex'), String(next + 2));
    assert.equal(await page.locator('.row.cursor').count(), 0);
    await move(page, sends[7]!);
    assert.equal(await page.locator('.row.cursor').getAttribute('aria-rowindex'), '9');
    await search(page, '');
    assert.ok((await indices(page)).includes(sends[7]!));
    await page.context().close();
  });

  it('lists the events that fit a filter, with the time since the row above', async () => {
    const { page, errors } = await opened(browser());
    const sends = await stepsOf(page, 'send');
    await page.locator('.query input').click();
    await page.keyboard.type('kind == send');
    await page.waitForTimeout(300);
    await settle(page);
    assert.deepEqual(await cells(page, 0).then((all) => all[0]), String(sends[0]));
    const [[, a], [step, b, , gap]] = [await cells(page, 1), await cells(page, 2)];
    assert.equal(step, String(sends[2]));
    const micros = (time: string): number => Number(time.slice(-13).replace('.', ''));
    const apart = micros(b!) - micros(a!);
    const unit = apart >= 1e6 ? [1e6, 's'] : apart >= 1000 ? [1000, 'ms'] : [1, 'µs'];
    assert.equal(gap, `${(apart / (unit[0] as number)).toFixed(apart >= 1000 ? 3 : 0)} ${unit[1]}`);
    assert.deepEqual((await cells(page, 0))[3], '', 'there is no row above the first one');
    await page.keyboard.press('Enter');
    await settle(page);
    assert.equal(await cursor(page), sends[0]);
    assert.deepEqual(await selected(page), [0]);
    await page.keyboard.press('Shift+Enter');
    await settle(page);
    assert.equal(await cursor(page), sends.at(-1));
    assert.ok((await indices(page)).includes(sends.length - 1));
    await page.locator('.query input').click();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('kind == sned');
    await settle(page);
    assert.equal(
      await page.locator('.query-problem').innerText(),
      'Column 9: there is no event kind sned; did you mean send?',
    );
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('step < 0');
    await page.waitForTimeout(300);
    await settle(page);
    await page.getByText('No event fits the filter.').waitFor();
    await page.getByRole('button', { name: 'Clear Filter' }).click();
    await settle(page);
    assert.ok((await indices(page)).length > 5);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('selects several rows, and copies them as text', async () => {
    const { page } = await opened(browser());
    await page.locator('.view [aria-rowindex="4"]').click();
    await press(page, 'Shift+ArrowDown', 'Shift+ArrowDown');
    assert.deepEqual(await selected(page), [2, 3, 4]);
    assert.equal(await cursor(page), 2, 'a selection does not move the cursor');
    await page.locator('.view [aria-rowindex="8"]').click({ modifiers: ['Shift'] });
    await settle(page);
    assert.deepEqual(await selected(page), [2, 3, 4, 5, 6]);
    await press(page, 'ControlOrMeta+c');
    const [copied] = await page.evaluate(() => globalThis.events.copied);
    assert.deepEqual(copied!.slice(1), [5, 5]);
    const [head, ...body] = copied![0].trimEnd().split('\n');
    assert.match(head!, /^step +time +dt +cpu +event +object +arguments$/);
    assert.equal(body.length, 5);
    for (const [i, line] of body.entries()) {
      const [step, time, , cpu, kind, object, args] = await cells(page, 2 + i);
      assert.ok(line.trimStart().startsWith(`${step}  ${time}`), line);
      for (const part of [cpu, kind, object, args]) assert.ok(line.includes(part!), `${part} in ${line}`);
      // Columns are aligned.
      assert.equal(line.indexOf(kind!), head!.indexOf('event'));
    }
    await press(page, 'ControlOrMeta+a', 'ControlOrMeta+c');
    const length = await page.evaluate(() => globalThis.events.session.trace.length);
    assert.deepEqual(await page.evaluate(() => globalThis.events.copied.at(-1)!.slice(1)), [length, length]);
    // In the box the text is copied that is selected there.
    await page.locator('.query input').click();
    await press(page, 'ControlOrMeta+c');
    assert.equal(await page.evaluate(() => globalThis.events.copied.length), 2);
    await page.context().close();
  });

  it('copies a part of very many rows, and says how many', async () => {
    const { page } = await opened(browser(), 3);
    await page.locator('.view [aria-rowindex="4"]').click();
    await press(page, 'ControlOrMeta+a', 'ControlOrMeta+c');
    const [, copied, all] = await page.evaluate(() => globalThis.events.copied[0]!);
    assert.equal(copied, 50_000);
    assert.ok(all > 100_000);
    await page.context().close();
  });

  it('is a grid for those who do not see it', async () => {
    const { page } = await opened(browser());
    const grid = page.getByRole('grid', { name: 'Events' });
    const length = await page.evaluate(() => globalThis.events.session.trace.length);
    assert.equal(await grid.getAttribute('aria-rowcount'), String(length + 1));
    assert.equal(await grid.getAttribute('aria-colcount'), '8');
    await grid.focus();
    await press(page, 'ArrowDown');
    const active = await grid.getAttribute('aria-activedescendant');
    assert.equal(await page.locator(`[id="${active}"]`).getAttribute('aria-rowindex'), '2');
    assert.equal(await cursor(page), 0);
    assert.equal(await page.locator('.head').getAttribute('aria-rowindex'), '1');
    await press(page, 'Control+f');
    assert.ok(await page.locator('.query input').evaluate((input) => document.activeElement === input));
    // Tab leads from the box over its buttons to the list.
    await press(page, 'Tab');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'grid');
    const twice = await page.evaluate(() => {
      const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
      return ids.filter((id, i) => ids.indexOf(id) !== i);
    });
    assert.deepEqual(twice, []);
    await page.context().close();
  });

  it('grows with a trace that is read, and says when there is none', async () => {
    const { page, errors } = await openEvents(browser());
    await page.getByText('No trace is open.').waitFor();
    await page.evaluate((t) => globalThis.events.load('part.log', t, 0.3), text);
    await page.locator('.view .row').first().waitFor();
    await settle(page);
    const part = Number(await page.locator('.grid').getAttribute('aria-rowcount'));
    await search(page, 'kind == send');
    const some = await page.locator('.hit-count').innerText();
    await page.evaluate(() => globalThis.events.finish());
    await page.waitForTimeout(400);
    await settle(page);
    assert.notEqual(await page.locator('.hit-count').innerText(), some);
    await search(page, '');
    assert.ok(Number(await page.locator('.grid').getAttribute('aria-rowcount')) > part * 2);
    // What the kernel traced has an earlier clock than the log above it: its events come in front when all of the file was read.
    const kernel = ['entry: irq=41 name=eth0', 'exit: irq=41 ret=handled']
      .map((what, i) => `          <idle>-0       [001] d.h.    10.00000${i}: irq_handler_${what}\n`)
      .join('');
    const mail = `${lines.slice(0, 1000).join('\n')}\n\n${kernel}`;
    await page.evaluate((t) => globalThis.events.load('mail.txt', t, 0.9999), mail);
    await page.locator('.view .row').first().waitFor();
    await page.evaluate(() => globalThis.events.session.move({ to: 'first' }));
    await settle(page);
    const seen = (): Promise<string> => page.locator('.view .row').first().innerText();
    const alone = await seen();
    await page.evaluate(() => globalThis.events.finish());
    await page.waitForTimeout(400);
    await page.evaluate(() => globalThis.events.session.move({ to: 'first' }));
    await settle(page);
    assert.notEqual(await seen(), alone);
    assert.equal(await page.evaluate(() => globalThis.events.session.trace.sources.length), 2);
    const kinds = await page.evaluate(() => {
      const { table } = globalThis.events.session.trace;
      return Array.from({ length: 5 }, (_, step) => table.kind(step).name);
    });
    for (const [step, kind] of kinds.entries()) assert.equal((await cells(page, step))[4], kind);
    await page.evaluate(() => globalThis.events.load('empty.log', '1@10.000000:vtd_context_cache_reset \n'));
    await page.getByText('empty.log has no events.').waitFor();
    await page.evaluate(() => globalThis.events.none());
    await page.getByText('No trace is open.').waitFor();
    // In the editor of a file it is that file whose trace is not there.
    await page.evaluate(() => globalThis.events.none('run.tar', true));
    await page.getByText('Reading run.tar…').waitFor();
    await page.evaluate(() => globalThis.events.none('run.tar'));
    await page.getByText('run.tar is closed. Open Trace… reads it again.').waitFor();
    assert.deepEqual(errors, []);
    await page.context().close();
  });
});
