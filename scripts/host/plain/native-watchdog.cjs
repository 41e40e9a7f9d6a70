// Takes the place of index.js of @vscode/native-watchdog in the embedded editor: ends this process when the one that started it is gone.
'use strict';

let started = false;

exports.start = (parent) => {
  if (started) throw new Error('Can only monitor a single process!');
  started = true;
  setInterval(() => {
    try {
      process.kill(parent, 0);
    } catch (error) {
      // Not allowed to signal it: it is there.
      if (error.code !== 'EPERM') process.exit(87);
    }
  }, 3000).unref();
};

exports.exit = (code) => process.exit(code || 0);
