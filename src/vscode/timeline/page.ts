/** What a page of the extension is built from. */
export interface PageParts {
  /** The origin of the webview's own files, as its content security policy names it. */
  readonly cspSource: string;
  readonly nonce: string;
  readonly script: string;
  readonly styles: readonly string[];
}

/** What differs between the pages. */
interface Frame {
  readonly title: string;
  /** Id of the element that the script fills. */
  readonly root: string;
  /** What `style-src` allows besides the page's own files. */
  readonly inline: string;
}

/** An empty frame that a script fills. Only the script with the nonce runs; only the webview's own files are loaded. */
function page({ cspSource, nonce, script, styles }: PageParts, { title, root, inline }: Frame): string {
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource}${inline}`,
    `font-src ${cspSource}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
${styles.map((style) => `<link rel="stylesheet" href="${style}">`).join('\n')}
<title>${title}</title>
</head>
<body>
<main id="${root}" data-vscode-context='{"preventDefaultContextMenuItems":true}'></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}

/** The page of the timeline. Inline styles are allowed because the controls of the toolkit use <style>. */
export const timelinePage = (parts: PageParts): string =>
  page(parts, { title: 'Timeline', root: 'timeline', inline: ` 'unsafe-inline'` });

/** The page of the list of events. */
export const eventsPage = (parts: PageParts): string => page(parts, { title: 'Events', root: 'events', inline: '' });

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** The page of a file that is no trace: why, and what can be done instead. `links`: their texts and addresses. */
export const refusalPage = (name: string, why: string, links: readonly (readonly [string, string])[]): string =>
  `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<title>${escaped(name)}</title>
</head>
<body>
<main>
<h2>${escaped(name)} is not shown as a trace</h2>
<p>${escaped(why)}</p>
<p>${links.map(([text, href]) => `<a href="${escaped(href)}">${escaped(text)}</a>`).join(' &middot; ')}</p>
</main>
</body>
</html>
`;
