// The timeline as a user sees and handles it, in plain Chromium, with the example capture and the real host end.
import assert from 'node:assert/strict';
import {
  color,
  cursor,
  ENTRY,
  opened,
  pictureBox,
  pixelOf,
  rowOf,
  type Shown,
  SPARE,
  share,
  shown,
  stampOf,
  text,
  useBrowser,
} from './looking.ts';
import { setTheme, settle } from './page.ts';

describe('timeline: picture', () => {
  const browser = useBrowser();

  it('shows lanes with their names, and raises no error', async () => {
    const { page, errors } = await opened(browser());
    const names = await page.locator('.name:visible').allInnerTexts();
    assert.ok(names.length > 20);
    assert.equal(names[0]?.trim(), 'Devices');
    assert.ok(names.some((name) => /0000:00:03\.0\s*nvme/.test(name)));
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  for (const theme of ['dark', 'light', 'highContrast', 'highContrastLight'] as const) {
    it(`draws masked hatched, open as a line, and nothing before the first event: ${theme}`, async () => {
      const { page } = await opened(browser(), { theme });
      const orange = await color(page, '--vscode-symbolIcon-eventForeground');
      const green = await color(page, '--vscode-charts-green');
      const background = await color(page, '--vscode-editor-background');
      const enabled = await pixelOf(page, stampOf(/msix_write_config dev nvme enabled 1 masked 1/));
      const spare = (await rowOf(page, SPARE)) - 5;
      const inside = { x: enabled + 40, y: spare + 2, width: 200, height: 6 };
      const hatch = await share(page, 'canvas.lanes-picture', inside, orange);
      assert.ok(hatch > 0.15 && hatch < 0.7, `hatched: ${hatch}`);
      const outside = { ...inside, x: enabled - 60, width: 50 };
      assert.equal(await share(page, 'canvas.lanes-picture', outside, orange), 0);
      assert.ok((await share(page, 'canvas.lanes-picture', outside, background)) > 0.9);
      const row = await rowOf(page, ENTRY);
      const line = { x: enabled + 60, y: row - 4, width: 150, height: 10 };
      const open = await share(page, 'canvas.lanes-picture', line, green);
      assert.ok(open > 0.15 && open < 0.3, `a line of two pixels: ${open}`);
      assert.equal(await share(page, 'canvas.lanes-picture', line, orange), 0);
      await page.context().close();
    });
  }

  it('pins findings over their events', async () => {
    const { page } = await opened(browser());
    const enabled = /msix_write_config dev nvme enabled 1 masked 1/;
    const line = text.split('\n').findIndex((one) => enabled.test(one)) + 1;
    const pixel = await pixelOf(page, stampOf(enabled));
    const step = await page.evaluate((at) => globalThis.harness.session.trace.lastAtLine(at), line);
    const path = await page.evaluate((at) => {
      const { trace } = globalThis.harness.session;
      return trace.world.path(trace.table.object(at));
    }, step);
    const row = await rowOf(page, path);
    const box = { x: pixel - 7, y: row - 16, width: 14, height: 14 };
    const red = await color(page, '--vscode-charts-red');
    const find = (found: { step: number; severity: 'error' }[]): Promise<void> =>
      page.evaluate(
        (all) => globalThis.harness.find(all.map((one) => ({ ...one, rule: { id: 'F01' }, title: 'lost' }))),
        found,
      );
    assert.equal(await share(page, 'canvas.overlay', box, red), 0);
    await find([{ step, severity: 'error' }]);
    await settle(page);
    const part = await share(page, 'canvas.overlay', box, red);
    assert.ok(part > 0.1 && part < 0.5, `a filled pin: ${part}`);
    await find([]);
    await settle(page);
    assert.equal(await share(page, 'canvas.overlay', box, red), 0);
    await page.context().close();
  });

  it('frames what differs from the trace that it is compared with', async () => {
    const { page } = await opened(browser());
    const enabled = /msix_write_config dev nvme enabled 1 masked 1/;
    const line = text.split('\n').findIndex((one) => enabled.test(one)) + 1;
    const pixel = await pixelOf(page, stampOf(enabled));
    const row = await rowOf(page, SPARE);
    const box = { x: pixel - 12, y: row - 12, width: 24, height: 24 };
    const colors = { changed: '--vscode-charts-blue', here: '--vscode-charts-green', missing: '--vscode-charts-red' };
    for (const [kind, variable] of Object.entries(colors)) {
      const expected = await color(page, variable);
      const compare = (places: number): Promise<void> =>
        page.evaluate(
          ([kind, path, line, places]) => {
            const { harness } = globalThis;
            const step = harness.session.trace.lastAtLine(line);
            harness.compare(Array.from({ length: places }, () => ({ kind: kind as 'here', step, path })));
          },
          [kind, SPARE, line, places] as const,
        );
      assert.equal(await share(page, 'canvas.overlay', box, expected), 0);
      await compare(1);
      await settle(page);
      const part = await share(page, 'canvas.overlay', box, expected);
      assert.ok(part > 0.02 && part < 0.3, `${kind}: a frame of lines: ${part}`);
      await compare(0);
      await settle(page);
    }
    await page.context().close();
  });

  it('puts brackets around events that were found', async () => {
    const { page } = await opened(browser());
    const enabled = /msix_write_config dev nvme enabled 1 masked 1/;
    const line = text.split('\n').findIndex((one) => enabled.test(one)) + 1;
    const pixel = await pixelOf(page, stampOf(enabled));
    const find = (filter: string): Promise<number> =>
      page.evaluate(
        async ([line, filter]) => {
          const { harness } = globalThis;
          const step = harness.session.trace.lastAtLine(line);
          await harness.search(filter.replace('HERE', String(step)));
          return step;
        },
        [line, filter] as const,
      );
    const expected = await color(page, '--vscode-charts-yellow');
    const step = await find('');
    const path = await page.evaluate((at) => {
      const { trace } = globalThis.harness.session;
      return trace.world.path(trace.table.object(at));
    }, step);
    const row = await rowOf(page, path);
    const box = { x: pixel - 12, y: row - 12, width: 24, height: 24 };
    assert.equal(await share(page, 'canvas.overlay', box, expected), 0);
    await find('step == HERE');
    await settle(page);
    const part = await share(page, 'canvas.overlay', box, expected);
    assert.ok(part > 0.02 && part < 0.3, `brackets: ${part}`);
    await find('');
    await settle(page);
    assert.equal(await share(page, 'canvas.overlay', box, expected), 0);
    await page.context().close();
  });

  it('repaints when the editor switches to another theme', async () => {
    const { page } = await opened(browser());
    const all = { x: 0, y: 0, width: 600, height: 300 };
    const dark = await color(page, '--vscode-editor-background');
    assert.ok((await share(page, 'canvas.lanes-picture', all, dark)) > 0.5);
    await setTheme(page, 'light');
    await settle(page);
    const light = await color(page, '--vscode-editor-background');
    assert.notDeepEqual(light, dark);
    assert.ok((await share(page, 'canvas.lanes-picture', all, light)) > 0.5);
    assert.equal(await share(page, 'canvas.lanes-picture', all, dark), 0);
    await page.context().close();
  });

  it('is as sharp as the screen', async () => {
    const { page } = await opened(browser(), { scale: 2 });
    const [real, css] = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('canvas.lanes-picture')!;
      return [canvas.width, canvas.getBoundingClientRect().width];
    });
    assert.equal(real, css * 2);
    const { size } = await page.evaluate(() => {
      const questions = globalThis.harness.sent.filter((m) => m.method === 'timeline/window');
      return questions.at(-1)!.params as { size: number };
    });
    const { from, to } = await shown(page);
    assert.ok(size <= (to - from) / css / 2, 'bins are not wider than a device pixel');
    await page.context().close();
  });
});

describe('timeline: mouse', () => {
  const browser = useBrowser();

  it('zooms by the wheel at the pointer', async () => {
    const { page } = await opened(browser());
    const box = await pictureBox(page);
    const before = await shown(page);
    const x = 400;
    const place = (s: Shown): number => s.from + ((s.to - s.from) * x) / box.width;
    await page.mouse.move(box.x + x, box.y + 100);
    for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -200);
    const after = await shown(page);
    assert.ok(after.to - after.from < (before.to - before.from) / 3);
    assert.ok(Math.abs(place(after) - place(before)) < (before.to - before.from) / box.width);
    await page.keyboard.down('Control');
    for (let i = 0; i < 8; i++) await page.mouse.wheel(0, 200);
    await page.keyboard.up('Control');
    const back = await shown(page);
    assert.ok(Math.abs(back.to - back.from - (before.to - before.from)) < 1e-6 * (before.to - before.from));
    await page.context().close();
  });

  it('pans by dragging, and by the wheel with shift', async () => {
    const { page } = await opened(browser());
    const box = await pictureBox(page);
    await page.mouse.move(box.x + 500, box.y + 100);
    for (let i = 0; i < 5; i++) await page.mouse.wheel(0, -200);
    const before = await shown(page);
    const perPixel = (before.to - before.from) / box.width;
    await page.mouse.move(box.x + 600, box.y + 150);
    await page.mouse.down();
    await page.mouse.move(box.x + 450, box.y + 160, { steps: 5 });
    await page.mouse.up();
    const dragged = await shown(page);
    assert.ok(Math.abs(dragged.from - before.from - 150 * perPixel) < perPixel);
    assert.ok(Math.abs(dragged.to - dragged.from - (before.to - before.from)) < perPixel / 100);
    assert.equal(await cursor(page), -1, 'a drag is no click');
    await page.keyboard.down('Shift');
    await page.mouse.wheel(0, 100);
    await page.keyboard.up('Shift');
    assert.ok((await shown(page)).from > dragged.from);
    await page.context().close();
  });

  it('moves the cursor to the event of the lane that is nearest to a click', async () => {
    const { page } = await opened(browser());
    const box = await pictureBox(page);
    const opens = stampOf(/ops_write .*addr 0xfe7c200c value 0x0 .*msix-table/);
    let x = 0;
    // A pixel of the first picture is 100 ms: the test aims again each time it becomes larger.
    for (let zoom = 0; zoom < 4; zoom++) {
      const { from, to } = await shown(page);
      x = Math.round((box.width * (opens - from)) / (to - from));
      await page.mouse.move(box.x + x, box.y + 100);
      for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -400);
    }
    const { from, to } = await shown(page);
    x = Math.round((box.width * (opens - from)) / (to - from));
    await page.mouse.click(box.x + x, box.y + (await rowOf(page, ENTRY)));
    await settle(page);
    const line = await page.evaluate(() => {
      const { session } = globalThis.harness;
      return session.trace.table.line(session.cursor);
    });
    const lines = text.split('\n');
    assert.match(lines[line - 1]!, /addr 0xfe7c200c value 0x0 .*msix-table/);
    assert.equal((await shown(page)).focused, ENTRY);
    await page.context().close();
  });

  it('tells what is at the pointer', async () => {
    const { page } = await opened(browser());
    const box = await pictureBox(page);
    const enabled = await pixelOf(page, stampOf(/msix_write_config dev nvme enabled 1 masked 1/));
    const y = box.y + (await rowOf(page, SPARE));
    await page.mouse.move(box.x + enabled - 30, y);
    await page.mouse.move(box.x + enabled, y);
    const tooltip = page.locator('.tooltip');
    await tooltip.waitFor();
    const said = await tooltip.innerText();
    assert.match(said, /^MSI-X 5/);
    assert.match(said, /mask: masked since 1795148664\.\d{6}/);
    assert.match(said, /tbl\.write device\/0000:00:03\.0\/msix\/5 offset=0xc size=4 value=0x1/);
    await page.mouse.move(box.x + enabled - 100, box.y - 60);
    await tooltip.waitFor({ state: 'hidden' });
    await page.context().close();
  });

  it('marks a range by dragging with shift and tells how long it is', async () => {
    const { page } = await opened(browser());
    const box = await pictureBox(page);
    const { from, to } = await shown(page);
    await page.keyboard.down('Shift');
    await page.mouse.move(box.x + 200, box.y + 200);
    await page.mouse.down();
    await page.mouse.move(box.x + 500, box.y + 210, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.up('Shift');
    const seconds = ((((to - from) * 300) / box.width) * 1e-9).toFixed(3);
    assert.equal(await page.locator('.status .range').innerText(), `Δ ${seconds} s`);
    await settle(page);
    const marked = await page.evaluate(() => globalThis.harness.session.range);
    const places = await page.evaluate(() => {
      const { table, length } = globalThis.harness.session.trace;
      return Array.from({ length }, (_, step) => table.time(step));
    });
    const pixel = (to - from) / box.width;
    /** The first event at a place or later. */
    const firstAt = (x: number): number => places.findIndex((place) => place >= x);
    const between = (step: number, x: number): boolean =>
      step >= firstAt(from + (x - 1) * pixel) && step <= firstAt(from + (x + 1) * pixel);
    assert.ok(marked && between(marked.from, 200), `from step ${marked?.from}`);
    assert.ok(between(marked.to + 1, 500), `to step ${marked.to}`);
    await page.locator('canvas.overlay').focus();
    await page.keyboard.press('Escape');
    await settle(page);
    assert.equal(await page.locator('.status .range').innerText(), '');
    assert.equal(await page.evaluate(() => globalThis.harness.session.range), undefined);
    await page.context().close();
  });

  it('marks a range by the key M, from where the cursor was to where it is', async () => {
    const { page } = await opened(browser());
    const range = async () => {
      await settle(page);
      return page.evaluate(() => {
        const { session } = globalThis.harness;
        const { range: marked, trace } = session;
        return marked && [marked.from, marked.to].map((step) => trace.table.time(step));
      });
    };
    const now = (): Promise<number> =>
      page.evaluate(() => globalThis.harness.session.trace.table.time(globalThis.harness.session.cursor));
    await page.locator(`.name[data-path="${ENTRY}"] .label`).click();
    await page.locator('canvas.overlay').focus();
    await page.keyboard.press('Control+ArrowRight');
    await settle(page);
    const start = await now();
    await page.keyboard.press('m');
    assert.deepEqual(await range(), [start, start]);
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press('Control+ArrowRight');
      await settle(page);
    }
    const end = await now();
    assert.ok(start < end);
    await page.keyboard.press('m');
    assert.deepEqual(await range(), [start, end]);
    assert.match(await page.getByRole('status').filter({ hasText: 'Δ' }).innerText(), /^Δ [\d.]+ (s|ms|µs)$/);
    await page.keyboard.press('Escape');
    assert.equal(await range(), undefined);
    await page.context().close();
  });

  it('scrolls the lanes by the wheel over their names, and closes and opens groups', async () => {
    const { page } = await opened(browser());
    const first = page.locator('.name[data-path="device"]');
    const { x, y } = (await first.boundingBox())!;
    await page.mouse.move(x + 50, y + 100);
    await page.mouse.wheel(0, 240);
    await settle(page);
    assert.equal(await page.evaluate(() => document.querySelector('.scroller')!.scrollTop), 240);
    await page.mouse.wheel(0, -1000);
    await settle(page);
    const nvme = page.locator('.name[data-path="device/0000:00:03.0"]');
    await nvme.locator('.twisty').click();
    assert.equal(await nvme.getAttribute('aria-expanded'), 'false');
    assert.equal(await page.locator(`.name[data-path="${ENTRY}"]:visible`).count(), 0);
    await settle(page);
    const deep = await page.evaluate(() => {
      const questions = globalThis.harness.sent.filter((m) => m.method === 'timeline/window');
      return (questions.at(-1)!.params as { rows: { deep: boolean }[] }).rows.some((row) => row.deep);
    });
    assert.ok(deep, 'a closed group shows the events of all that is in it');
    await page.context().close();
  });

  it('selects the object of a lane whose name is clicked', async () => {
    const { page } = await opened(browser());
    await page.locator(`.name[data-path="${ENTRY}"] .label`).click();
    await settle(page);
    assert.equal(await page.evaluate(() => globalThis.harness.session.selection), ENTRY);
    await page.context().close();
  });
});
