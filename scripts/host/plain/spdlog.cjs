// Takes the place of index.js of @vscode/spdlog in the embedded editor. That package is a logger in C++, which nothing compiles here; without
// one the editor complains in every window and keeps its log in memory. Same functions, as its index.d.ts lists them, in JavaScript.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];
let initialLevel = 2;

class Logger {
  #path;
  #limit;
  #count;
  #size = 0;
  #file;
  #level = initialLevel;
  #plain = false;

  /** The kind of logger and its name show nowhere in the file. */
  constructor(_kind, _name, filename, limit, count) {
    this.#path = filename;
    this.#limit = limit;
    this.#count = count;
    this.#open();
  }

  #open() {
    this.#file = fs.openSync(this.#path, 'a');
    this.#size = fs.fstatSync(this.#file).size;
  }

  /** log.log becomes log.1.log, that one log.2.log, and so on; the oldest is overwritten. */
  #rotate() {
    fs.closeSync(this.#file);
    const { dir, name, ext } = path.parse(this.#path);
    const numbered = (n) => (n === 0 ? this.#path : path.join(dir, `${name}.${n}${ext}`));
    for (let n = this.#count - 1; n > 0; n--) if (fs.existsSync(numbered(n - 1))) fs.renameSync(numbered(n - 1), numbered(n));
    if (this.#count < 2) fs.truncateSync(this.#path);
    this.#open();
  }

  #write(level, message) {
    if (level < this.#level || this.#file === undefined) return;
    const stamp = new Date().toISOString().replace('T', ' ').slice(0, -1);
    const text = this.#plain ? message : `${stamp} [${LEVELS[level]}] ${message}\n`;
    const bytes = Buffer.from(text);
    if (this.#size + bytes.length > this.#limit) this.#rotate();
    this.#size += fs.writeSync(this.#file, bytes);
  }

  trace(message) {
    this.#write(0, message);
  }
  debug(message) {
    this.#write(1, message);
  }
  info(message) {
    this.#write(2, message);
  }
  warn(message) {
    this.#write(3, message);
  }
  error(message) {
    this.#write(4, message);
  }
  critical(message) {
    this.#write(5, message);
  }
  getLevel() {
    return this.#level;
  }
  setLevel(level) {
    this.#level = level;
  }
  /** The editor knows two patterns: that of #write, and the bare message. */
  setPattern() {
    this.#plain = false;
  }
  clearFormatters() {
    this.#plain = true;
  }
  /** Everything is written at once. */
  flush() {}
  drop() {
    if (this.#file !== undefined) fs.closeSync(this.#file);
    this.#file = undefined;
  }
}

async function createRotatingLogger(name, filename, limit, count) {
  fs.mkdirSync(path.dirname(filename), { recursive: true });
  return new Logger('rotating', name, filename, limit, count);
}

exports.version = 0;
exports.Logger = Logger;
exports.createRotatingLogger = createRotatingLogger;
exports.createAsyncRotatingLogger = createRotatingLogger;
exports.setLevel = (level) => {
  initialLevel = level;
};
exports.setFlushOn = () => {};
