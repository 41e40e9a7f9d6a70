/**
 * A text as a notification of the editor shows it, without links. The editor turns `[text](command:…)` and `[text](https://…)` in notifications
 * into links, and a link can run a command. Such a text can stand in a trace, a file name or a file of the workspace.
 */
export const withoutLinks = (text: string): string => text.replaceAll('](', '] (');
