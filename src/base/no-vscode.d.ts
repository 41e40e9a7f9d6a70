// Stands where the pure compile (tsconfig.pure.json) looks for 'vscode': deliberately not a module, so that an import fails.
