// The pure compile (tsconfig.pure.json) finds this file for 'vscode'. It is deliberately not a module, so that an import fails.
