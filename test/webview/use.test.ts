// The timeline handled by keys and by other views, its states, and what it is to those who do not see the picture.
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { cursor, ENTRY, ends, opened, pictureBox, shown, text, useBrowser } from './looking.ts';
import { load, openTimeline, settle } from './page.ts';

const picture = (page: Page) => page.locator('canvas.overlay');
const windows = (page: Page): Promise<number> =>
  page.evaluate(() => globalThis.harness.sent.filter((m) => m.method === 'timeline/window').length);

describe('timeline: keys', () => {
  const browser = useBrowser();

  it('pan, zoom, go to the ends and fit', async () => {
    const { page } = await opened(browser());
    const all = await shown(page);
    const span = all.to - all.from;
    await picture(page).focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press('+');
    const near = await shown(page);
    assert.ok(Math.abs((near.to - near.from) * 1.5 ** 4 - span) < span * 1e-6);
    await page.keyboard.press('ArrowRight');
    const right = await shown(page);
    assert.ok(Math.abs(right.from - near.from - (near.to - near.from) / 10) < span * 1e-6);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('-');
    const back = await shown(page);
    assert.ok(Math.abs((back.to - back.from) * 1.5 ** 3 - span) < span * 1e-6);
    const { first, last } = ends();
    await page.keyboard.press('Home');
    const home = await shown(page);
    assert.ok(home.from < first && home.to > first && home.to < last);
    await page.keyboard.press('End');
    const end = await shown(page);
    assert.ok(end.from < last && end.to > last && end.from > first);
    await page.keyboard.press('f');
    assert.deepEqual(await shown(page), all);
    await page.context().close();
  });

  it('choose a lane, go from event to event, and say where the cursor is', async () => {
    const { page } = await opened(browser());
    await picture(page).focus();
    // Devices, 00:00.0, 00:03.0, entry 0.
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowDown');
    assert.equal((await shown(page)).focused, ENTRY);
    const steps = await page.evaluate((path) => {
      const { trace } = globalThis.harness.session;
      const object = trace.world.find(path)!.object;
      return Array.from({ length: trace.length }, (_, i) => i).filter((i) => trace.table.object(i) === object);
    }, ENTRY);
    for (const expected of steps.slice(0, 3)) {
      await page.keyboard.press('Control+ArrowRight');
      await settle(page);
      assert.equal(await cursor(page), expected);
    }
    await page.keyboard.press('Control+ArrowLeft');
    await settle(page);
    assert.equal(await cursor(page), steps[1]);
    const said = await page.locator('[aria-live]').innerText();
    assert.match(said, new RegExp(`^MSI-X 0\\. Step ${steps[1]}, 1795148\\d+\\.\\d{6}: tbl\\.`));
    await page.evaluate(() => {
      globalThis.harness.session.move({ to: 'first' });
      globalThis.harness.session.move({ to: 'previous' });
    });
    await page.waitForFunction(() => document.querySelector('[aria-live]')!.textContent!.includes('efore'));
    assert.equal(await page.locator('[aria-live]').innerText(), 'MSI-X 0. Before the first event');
    assert.equal(await page.locator('.name.focused').getAttribute('data-path'), ENTRY);
    await page.context().close();
  });

  it('walk the tree of names as trees are walked', async () => {
    const { page } = await opened(browser());
    const focused = (): Promise<string | null> =>
      page.evaluate(() => document.activeElement?.getAttribute('data-path') ?? null);
    await page.locator('.name[data-path="device"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), 'device/0000:00:03.0');
    await page.keyboard.press('ArrowLeft');
    await settle(page);
    assert.equal(await page.locator('.name[data-path="device/0000:00:03.0"]').getAttribute('aria-expanded'), 'false');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    assert.equal(await focused(), ENTRY);
    await page.keyboard.press('ArrowLeft');
    assert.equal(await focused(), 'device/0000:00:03.0');
    await page.keyboard.press('End');
    const row = page.locator('.name:focus');
    const [box, scroller] = await Promise.all([row.boundingBox(), page.locator('.scroller').boundingBox()]);
    assert.ok(box!.y + box!.height <= scroller!.y + scroller!.height + 0.5, 'the focused row is in sight');
    await page.context().close();
  });
});

describe('timeline: other views', () => {
  const browser = useBrowser();

  it('move its cursor, and it moves to where the cursor is', async () => {
    const { page } = await opened(browser());
    await picture(page).focus();
    for (let i = 0; i < 12; i++) await page.keyboard.press('+');
    await page.keyboard.press('Home');
    const before = await shown(page);
    const last = await page.evaluate(() => {
      const { session } = globalThis.harness;
      session.move({ to: 'last' });
      return session.trace.table.time(session.cursor);
    });
    const after = await shown(page);
    assert.ok(before.to < last && after.from < last && after.to > last);
    const event = await page.locator('.status .cursor-event').innerText();
    assert.match(event, /^1795148743\.\d{6}\s+\S/);
    await page.context().close();
  });

  it('select an object, and it shows the lane of that object', async () => {
    const { page } = await opened(browser());
    await page.evaluate(() => globalThis.harness.session.select('irte/0/35/vector'));
    await settle(page);
    const row = page.locator('.name.focused');
    assert.equal(await row.getAttribute('data-path'), 'irte/0/35');
    assert.ok(await row.isVisible());
    await page.context().close();
  });
});

describe('timeline: states', () => {
  const browser = useBrowser();

  it('no trace: says so and offers to open one', async () => {
    const { page, errors } = await openTimeline(browser());
    await page.getByText('No trace is open').waitFor();
    await page.getByRole('button', { name: 'Open Trace…' }).click();
    await page.waitForFunction(() => globalThis.harness.opened === 1);
    const groups = page.locator('[role=toolbar] [role=group]');
    const names = await groups.evaluateAll((all) => all.map((group) => group.getAttribute('aria-label') ?? ''));
    assert.ok(names.length >= 4 && names.every((name) => name !== ''), names.join(', '));
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('a trace that cannot be read: says why', async () => {
    const { page } = await openTimeline(browser());
    await page.evaluate(() => globalThis.harness.fail('a.log', 'the disk is on fire'));
    await page.getByText('a.log cannot be read').waitFor();
    await page.getByText('the disk is on fire').waitFor();
    await page.context().close();
  });

  it('a trace without events: says so', async () => {
    const { page } = await openTimeline(browser());
    await page.evaluate(() => globalThis.harness.load('empty.txt', '1@10.000000:vtd_context_cache_reset \n'));
    await page.getByText('empty.txt has no events').waitFor();
    await page.context().close();
  });

  it('a trace that is still read: shows what is there, how far it is, and then the rest', async () => {
    const { page } = await openTimeline(browser());
    await page.evaluate(([t]) => globalThis.harness.load('example.log', t!, 0.4), [text]);
    await page.locator('.name').first().waitFor();
    const progress = page.getByRole('progressbar');
    assert.equal(await progress.getAttribute('aria-valuenow'), '40');
    assert.ok(await progress.isVisible());
    const part = await shown(page);
    await page.evaluate(() => globalThis.harness.finish());
    await settle(page);
    const all = await shown(page);
    assert.ok(all.to > part.to + 1e9, 'the rest is in view');
    assert.equal(await progress.isVisible(), false);
    await page.context().close();
  });

  it('another trace: forgets the first', async () => {
    const { page, errors } = await opened(browser());
    await page.evaluate(() => globalThis.harness.session.move({ to: 'step', step: 500 }));
    const log =
      '1@5.000001:pci_cfg_write nvme 00:03.0 @0x4 <- 0x7\n1@5.000009:pci_cfg_write nvme 00:03.0 @0x4 <- 0x3\n';
    await load(page, 'other.log', log);
    assert.deepEqual(await page.locator('.name:visible .label').allInnerTexts(), ['Devices', '0000:00:03.0']);
    assert.match(await page.locator('.status .cursor-event').innerText(), /before the first event/);
    await page.evaluate(() => globalThis.harness.none());
    await page.getByText('No trace is open').waitFor();
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('a trace without stamps: steps are the axis, and nothing else is offered', async () => {
    const { page } = await openTimeline(browser());
    await load(page, 'plain.log', text.replaceAll(/^\d+@[\d.]+:/gm, ''));
    const state = await shown(page);
    assert.equal(state.axis, 'step');
    const box = page.getByRole('checkbox', { name: 'Equal steps' });
    assert.equal(await box.getAttribute('aria-disabled'), 'true');
    assert.equal(await box.getAttribute('aria-checked'), 'true');
    assert.equal(await page.locator('.corner').innerText(), 'Step');
    await page.context().close();
  });

  it('steps as axis can be chosen, and time again', async () => {
    const { page } = await opened(browser());
    const time = await shown(page);
    const box = page.getByRole('checkbox', { name: 'Equal steps' });
    await box.click();
    const steps = await shown(page);
    const { length } = await page.evaluate(() => ({ length: globalThis.harness.session.trace.length }));
    assert.ok(steps.axis === 'step' && steps.from < 0 && steps.to > length - 1 && steps.to < length * 1.1);
    await box.click();
    assert.deepEqual(await shown(page), time);
    await page.context().close();
  });

  it('comes back as it was left', async () => {
    const first = await opened(browser());
    await picture(first.page).focus();
    for (let i = 0; i < 6; i++) await first.page.keyboard.press('+');
    for (let i = 0; i < 3; i++) await first.page.keyboard.press('ArrowDown');
    await first.page.locator('.name[data-path="device/0000:00:04.0"] .twisty').click();
    await first.page.locator('.name[data-path="device/0000:00:06.0"] .label').click();
    const left = await shown(first.page);
    const second = await opened(browser(), { state: left });
    assert.deepEqual(await shown(second.page), left);
    const closed = second.page.locator('.name[data-path="device/0000:00:04.0"]');
    assert.equal(await closed.getAttribute('aria-expanded'), 'false');
    const strange = await openTimeline(browser(), { state: { version: 9, everything: 'else' } });
    await strange.page.getByText('No trace is open').waitFor();
    assert.deepEqual(strange.errors, []);
    for (const { page } of [first, second, strange]) await page.context().close();
  });
});

describe('timeline: messages', () => {
  const browser = useBrowser();

  it('asks only for the newest of what was wanted meanwhile', async () => {
    const { page } = await opened(browser());
    const before = await windows(page);
    const delay = 400;
    await page.evaluate((ms) => {
      globalThis.harness.delay = ms;
    }, delay);
    const start = performance.now();
    const box = await pictureBox(page);
    await page.mouse.move(box.x + 400, box.y + 100);
    for (let i = 0; i < 30; i++) {
      await page.mouse.wheel(0, -60);
      await page.waitForTimeout(10);
    }
    await settle(page);
    const asked = (await windows(page)) - before;
    // One question at a time: each answer takes `delay`, however slow this machine is.
    const most = Math.ceil((performance.now() - start) / delay) + 1;
    assert.ok(asked >= 1 && asked <= most, `${asked} questions, at most ${most}`);
    const { from, to } = await shown(page);
    const last = await page.evaluate(
      () =>
        globalThis.harness.sent.filter((m) => m.method === 'timeline/window').at(-1)!.params as {
          from: number;
          size: number;
          bins: number;
        },
    );
    assert.ok(last.from <= from && last.from + last.size * last.bins >= to, 'the last one covers what is shown');
    await page.context().close();
  });

  it('survives messages that are none of its own or malformed', async () => {
    const { page, errors } = await opened(browser());
    await page.evaluate(() => {
      const send = (data: unknown): boolean => window.dispatchEvent(new MessageEvent('message', { data }));
      for (const data of [null, 7, 'x', {}, { method: 'timeline/lanes' }]) send(data);
      const receiver = { type: 'webview', webviewId: 'x' };
      send({ method: 'timeline/lanes', receiver, params: { trace: 1, layers: [], lanes: [{ id: 'one' }] } });
      send({ method: 'timeline/cursor', receiver, params: { trace: 1, step: 'first' } });
    });
    assert.equal(errors.length, 2);
    for (const error of errors) assert.match(error, /^timeline: timeline\/(lanes|cursor): /);
    assert.ok((await page.locator('.name:visible').count()) > 20);
    await page.context().close();
  });

  it('that are malformed are refused by the host, with an answer', async () => {
    const { page } = await opened(browser());
    const answer = await page.evaluate(
      () =>
        new Promise<{ error?: { message: string } }>((resolve) => {
          window.addEventListener('message', ({ data }) => data.id === 'mine' && resolve(data));
          const params = { trace: 1, axis: 'time', from: 0, size: -1, bins: 1e9, rows: 'all' };
          globalThis.harness.api.postMessage({
            id: 'mine',
            method: 'timeline/window',
            receiver: { type: 'extension' },
            params,
          });
        }),
    );
    assert.match(answer.error?.message ?? '', /timeline\/window \(question\)/);
    await page.context().close();
  });

  it('with markup in the texts of a trace are shown as text', async () => {
    const { page, errors } = await openTimeline(browser());
    const evil = '<img src=x onerror="document.title=\'owned\'">';
    const line = (time: string, what: string): string => `          sh-1  [000] .....  ${time}: ${what}\n`;
    const trace =
      '# tracer: nop\n#\n' +
      line('10.000001', `tracing_mark_write: ${evil}`) +
      line('10.000500', 'irq_handler_entry: irq=9 name=<b>acpi</b>') +
      line('10.000600', 'irq_handler_exit: irq=9 ret=handled');
    await load(page, '<i>x</i>.txt', trace);
    await page.locator('.name[data-path="notes"] .label').click();
    await picture(page).focus();
    await page.keyboard.press('Control+ArrowRight');
    await settle(page);
    assert.ok((await page.locator('.status .cursor-event').innerText()).includes(evil));
    assert.match(await page.locator('.name[data-path="irq/9"]').innerText(), /<b>acpi<\/b>/);
    assert.equal(await page.locator('#timeline img, #timeline b, #timeline i').count(), 0);
    assert.equal(await page.title(), 'Timeline');
    assert.deepEqual(errors, []);
    await page.context().close();
  });
});

describe('timeline: without seeing the picture', () => {
  const browser = useBrowser();

  it('has a table with the events in view of the lane that has the focus', async () => {
    const { page } = await opened(browser());
    await page.locator(`.name[data-path="${ENTRY}"] .label`).click();
    await page.locator('table caption', { hasText: 'MSI-X 0' }).waitFor({ state: 'attached' });
    const events = await page.evaluate((path) => {
      const { trace } = globalThis.harness.session;
      const object = trace.world.find(path)!.object;
      let n = 0;
      for (let i = 0; i < trace.length; i++) if (trace.table.object(i) === object) n++;
      return n;
    }, ENTRY);
    const caption = page.locator('table caption');
    assert.equal(await caption.textContent(), `MSI-X 0: ${events} events in view, the first 200 of them`);
    assert.equal(await page.locator('table tbody tr').count(), 200);
    const [step, time, event] = await page.locator('table tbody tr').first().locator('td').allTextContents();
    assert.match(step!, /^\d+$/);
    assert.match(time!, /^1795148\d+\.\d{6}$/);
    assert.match(event!, /^tbl\.\w+ device/);
    await page.context().close();
  });

  it('has names and roles for everything that can have the focus', async () => {
    const { page } = await opened(browser());
    const names: string[] = [];
    await page.locator('.query input').click();
    for (let i = 0; i < 14; i++) {
      names.push(
        await page.evaluate(() => {
          const active = document.activeElement!;
          return `${active.getAttribute('role') ?? active.localName} ${active.getAttribute('aria-label') ?? active.textContent?.trim()}`;
        }),
      );
      await page.keyboard.press('Tab');
    }
    for (const part of ['Zoom In', 'Fit All', 'Legend', 'Equal steps', 'treeitem', 'application Timeline', 'separator'])
      assert.ok(
        names.some((name) => name.includes(part)),
        `${part} is not among ${names.join(', ')}`,
      );
    for (const name of names) assert.match(name, /^\S+ \S/, 'nothing has the focus without a name');
    await page.context().close();
  });

  it('moves nothing by itself where motion is not wanted', async () => {
    const { page } = await openTimeline(browser(), { reducedMotion: true });
    const animation = await page.evaluate(() => {
      const bar = document.querySelector('.progress .bar')!;
      bar.classList.add('unknown');
      return getComputedStyle(bar).animationName;
    });
    assert.equal(animation, 'none');
    await page.context().close();
  });
});
