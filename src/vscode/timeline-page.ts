/** What the page of the timeline is built from. */
export interface PageParts {
  /** The origin of the webview's own files, as its content security policy names it. */
  readonly cspSource: string;
  readonly nonce: string;
  readonly script: string;
  readonly style: string;
}

/**
 * The page of the timeline: an empty frame that the script fills. Only the script with the nonce runs; only
 * the webview's own files are loaded. Inline styles are allowed because the controls of the toolkit use <style>.
 */
export function timelinePage({ cspSource, nonce, script, style }: PageParts): string {
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${cspSource} 'unsafe-inline'`,
    `font-src ${cspSource}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>Timeline</title>
</head>
<body>
<main id="timeline" data-vscode-context='{"preventDefaultContextMenuItems":true}'></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
