import { createHash } from 'node:crypto';
import { misused } from '../command.ts';
import type { Failure } from '../failure.ts';

/** Characters of the name of a trace that its files keep. */
const KEPT = 80;

const digest = (name: string): string => createHash('sha256').update(name).digest('hex');

/**
 * The name of the files of a trace, without extension: what is safe in file systems, object stores and globs. Engines skip files whose
 * name begins with `_` or a dot. The digest keeps apart names that differ in what is left out.
 */
export function fileNameOf(trace: string): string {
  const safe = trace
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(-KEPT)
    .replace(/^[-._]+/, '');
  return `${safe}${safe === '' ? '' : '-'}${digest(trace).slice(0, 12)}`;
}

/** A part of the work: the `index`-th of `count`, from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** `I/N` of `--shard`; throws Failure. */
export function shardOf(text: string): Shard {
  const match = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || index > count) throw badShard(text);
  return { index, count };
}

const badShard = (text: string): Failure =>
  misused('convert', `--shard ${text}: expected I/N, such as 3/16 for the third of 16 parts`);

/** Whether a trace belongs to a part: its name alone decides, whatever else is in the folder. */
export const isIn = ({ index, count }: Shard, trace: string): boolean =>
  Number.parseInt(digest(trace).slice(0, 12), 16) % count === index - 1;
