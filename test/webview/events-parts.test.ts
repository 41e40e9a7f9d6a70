// The list of events: texts and messages that are not what they should be, themes, and the scroll bar of very long lists.
import assert from 'node:assert/strict';
import { Scroll } from '../../webview/events/scroll.ts';
import { indices, opened, rows } from './events-looking.ts';
import { useBrowser } from './looking.ts';
import { openEvents, settle, themeNames } from './page.ts';

describe('list of events: what it gets', () => {
  const browser = useBrowser();

  it('shows texts of a trace as text, and lets no script of a trace run', async () => {
    const { page, errors } = await openEvents(browser());
    const evil = '<img src=x onerror="document.title=\'owned\'">';
    const line = (time: string, what: string): string => `          sh-1  [000] .....  ${time}: ${what}\n`;
    const trace = `# tracer: nop\n#\n${line('10.000001', `tracing_mark_write: ${evil}`)}${line('10.000500', 'irq_handler_entry: irq=9 name=<b>acpi</b>')}`;
    await page.evaluate((t) => globalThis.events.load('<i>x</i>.txt', t), trace);
    await page.locator('.view .row').first().waitFor();
    await settle(page);
    const shown = (await rows(page).allInnerTexts()).join('\n');
    for (const part of [evil, '<b>acpi</b>']) assert.ok(shown.includes(part), shown);
    assert.equal(await page.locator('#events img, #events b, #events i').count(), 0);
    const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
    assert.match(policy!, /^default-src 'none'; script-src 'nonce-\w+'; style-src http:\/\/timeline\.test; font-src /);
    assert.deepEqual(errors, []);
    await page.context().close();
  });

  it('survives malformed messages, and refuses them', async () => {
    const { page, errors } = await opened(browser());
    await page.evaluate(() => {
      const receiver = { type: 'webview', webviewId: 'x' };
      const send = (data: unknown): boolean => window.dispatchEvent(new MessageEvent('message', { data }));
      for (const data of [null, 7, {}, { method: 'events/cursor' }]) send(data);
      send({ method: 'events/cursor', receiver, params: { trace: 1, row: -4 } });
      send({ method: 'query/search', receiver, params: { trace: 1, filter: 7 } });
    });
    assert.equal(errors.length, 2);
    for (const error of errors) assert.match(error, /^events: (events\/cursor|query\/search): /);
    const refused = await page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          window.addEventListener('message', ({ data }) => data.id === 'mine' && resolve(data.error?.message ?? ''));
          const params = { trace: 1, from: 0, count: 1e9 };
          const receiver = { type: 'extension' };
          globalThis.events.api.postMessage({ id: 'mine', method: 'events/rows', receiver, params });
        }),
    );
    assert.match(refused, /events\/rows \(question\)/);
    assert.ok((await indices(page)).length > 5);
    await page.context().close();
  });

  for (const theme of themeNames) {
    it(`tells the selected row and the cursor apart from the others: ${theme}`, async () => {
      const { page } = await opened(browser(), 1, { theme });
      await page.locator('.view [aria-rowindex="5"]').click();
      await settle(page);
      const looks = await rows(page).evaluateAll((all) =>
        all.map((row) => {
          const { backgroundColor, outlineStyle } = getComputedStyle(row);
          return [row.getAttribute('aria-selected'), `${backgroundColor} ${outlineStyle}`] as const;
        }),
      );
      const [chosen] = looks.filter(([on]) => on === 'true');
      const others = new Set(looks.filter(([on]) => on !== 'true').map(([, look]) => look));
      assert.ok(chosen && !others.has(chosen[1]), JSON.stringify(looks));
      await page.screenshot({ path: `test-results/events-${theme}.png` });
      await page.context().close();
    });
  }
});

describe('scrolling a list', () => {
  it('shows the rows that fit, and no more than there are', () => {
    const scroll = new Scroll();
    scroll.resize(3, 220);
    assert.deepEqual(scroll.range, [0, 3]);
    scroll.by(5);
    assert.equal(scroll.top, 0);
    scroll.resize(100, 225);
    scroll.by(1000);
    assert.deepEqual(scroll.range, [89, 100]);
    assert.equal(scroll.pixels, scroll.content - 225);
    scroll.resize(0, 225);
    assert.deepEqual(scroll.range, [0, 0]);
  });

  it('reveals a near row by as little as needed, and brings a far one into the middle', () => {
    const scroll = new Scroll();
    scroll.resize(1000, 220);
    scroll.reveal(9);
    assert.equal(scroll.top, 0);
    scroll.reveal(10);
    assert.equal(scroll.top, 1);
    scroll.reveal(0);
    assert.equal(scroll.top, 0);
    scroll.reveal(500);
    assert.equal(scroll.top, 495.5);
    scroll.reveal(499);
    assert.equal(scroll.top, 495.5);
    scroll.reveal(999);
    assert.equal(scroll.top, 990);
  });

  it('reaches every row of ten million, and every part of them by the scroll bar', () => {
    const scroll = new Scroll();
    scroll.resize(10_000_000, 220);
    assert.ok(scroll.content < 16_000_000);
    for (const row of [0, 1, 4_999_999, 9_999_989, 9_999_999]) {
      scroll.reveal(row);
      const [first, end] = scroll.range;
      assert.ok(first <= row && row < end, `${row} in ${first}..${end}`);
    }
    for (const share of [0, 0.25, 1]) {
      const pixels = share * (scroll.content - 220);
      scroll.drag(pixels);
      assert.ok(Math.abs(scroll.pixels - pixels) < 1e-6);
      assert.ok(Math.abs(scroll.top - share * (10_000_000 - 10)) < 1e-3);
    }
  });
});
