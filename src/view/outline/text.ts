import { systemOfPath } from '../../model/namespace.ts';
import type { JobView } from '../../query/jobs.ts';
import { keyValue } from '../../query/view.ts';
import { narrowFunction, sharedDomain } from '../narrow.ts';
import { groupCount, groupIcon, groupTitle } from '../presentation/groups.ts';
import { outlineOf, sectionOf, sectionTitle } from '../presentation/sections.ts';
import { summaryOf } from '../presentation/types.ts';
import { computedFields, fieldsOfKey, fieldText, keyText, shownFields, UNKNOWN } from '../values.ts';
import type { OutlineState } from './outline-state.ts';
import { type OutlineRow, type RowText, rangeLabel } from './rows.ts';

const SPOKEN = { A: 'added', M: 'changed', D: 'removed' } as const;

/** What a row shows. `count`: entries of a group. `jobs`: who does what for the irq of a job's row. */
export function rowText(now: OutlineState, row: OutlineRow, count: number, jobs: readonly JobView[]): RowText {
  switch (row.kind) {
    case 'job':
      return jobText(
        row.job!,
        jobs.find(({ job }) => job === row.job),
      );
    case 'range':
      return {
        label: rangeLabel(row.from!),
        description: '',
        collapsible: true,
        icon: '',
        spoken: rangeLabel(row.from!),
      };
    case 'key':
      return keyRowText(now, row);
    case 'field':
      return valueRow(row.field!, fieldTexts(now, row), now.fieldMark(row.node, row.key!, row.field!), false);
    case 'node':
      return now.presents(row.node) ? objectText(now, row) : groupText(row, count);
  }
}

/** The system of a row at the top, where nothing above it says which. */
function systemText({ node, parent }: OutlineRow): string {
  const system = parent === undefined ? systemOfPath(node.path) : '';
  return system === '' ? '' : ` (${system})`;
}

function groupText(row: OutlineRow, count: number): RowText {
  const { path, parent } = row.node;
  const isSection = parent?.parent === undefined;
  const label = isSection ? sectionTitle(path) : `${groupTitle(path)}${systemText(row)}`;
  const description = groupCount(path, count);
  return {
    label,
    description,
    collapsible: true,
    icon: isSection ? (sectionOf(path)?.icon ?? '') : groupIcon(path),
    spoken: [label, description].filter(Boolean).join(', '),
  };
}

function objectText(now: OutlineState, row: OutlineRow): RowText {
  const { label: whole, description: told, icon } = summaryOf(now.stateFor(row.node), row.node.object);
  // A narrow view cuts the end of a label off: what all functions share is left out, and stands at the end of the description.
  const domain =
    row.parent === undefined && outlineOf(row.node.path) === 'devices' ? sharedDomain(now.state.world) : '';
  const name = narrowFunction(whole, domain);
  const description = name === whole ? told : [told, row.node.segment].filter(Boolean).join(' · ');
  const label = `${name}${systemText(row)}`;
  const mark = now.mark(row.node);
  return {
    label,
    description,
    icon,
    collapsible: true,
    ...(mark ? { mark, highlight: [0, label.length] } : {}),
    spoken: [label, description, mark && SPOKEN[mark]].filter(Boolean).join(', '),
  };
}

/** The domains that do a job for an irq, and whether they are at work in this step. */
function jobText(job: string, view: JobView | undefined): RowText {
  const by = view?.by.length ? view.by.join(', ') : UNKNOWN;
  const label = `${job}: ${by}`;
  const working = view?.working;
  const description = [working === undefined ? '' : `${working} is at work`, view?.result ?? '']
    .filter(Boolean)
    .join(' · ');
  return {
    label,
    description,
    collapsible: false,
    icon: working === undefined ? 'circle-small' : 'play',
    ...(working === undefined ? {} : { highlight: [0, job.length] as const }),
    spoken: [`${job} by ${by === UNKNOWN ? 'unknown' : by}`, description].filter(Boolean).join(', '),
  };
}

interface Texts {
  readonly is: string;
  readonly was: string;
}

function keyRowText(now: OutlineState, row: OutlineRow): RowText {
  const { node, key } = row;
  const state = now.stateFor(node);
  const was = now.before.present(node.object) ? keyText(now.before, node.object, key!) : UNKNOWN;
  const is = keyText(state, node.object, key!);
  const collapsible =
    shownFields(state, node.object, key!).length > 0 ||
    (Object.keys(computedFields(keyValue(state, node.object, key!)) ?? {}).length > 0 &&
      fieldsOfKey(state, node.object, key!) === undefined);
  return valueRow(key!, { is, was }, now.keyMark(node, key!), collapsible);
}

/** The value of a field now and before this step, with the names that its specification gives to values. */
export function fieldTexts(now: OutlineState, row: OutlineRow): Texts {
  const { node, key, field } = row;
  const text = (state: typeof now.state): string => {
    const spec = fieldsOfKey(state, node.object, key!)?.find((f) => f.name === field);
    return fieldText(spec, now.fieldOf(state, node, key!, field!));
  };
  return { is: text(now.stateFor(node)), was: text(now.before) };
}

function valueRow(name: string, { is, was }: Texts, mark: RowText['mark'], collapsible: boolean): RowText {
  const label = `${name}: ${is}`;
  const description = mark === 'M' ? `was ${was}` : '';
  return {
    label,
    description,
    collapsible,
    icon: '',
    ...(mark ? { mark, highlight: [name.length + 2, label.length] } : {}),
    spoken: [
      `${name} ${is === UNKNOWN ? 'unknown' : is}`,
      mark === 'M' ? `${SPOKEN.M}, ${description}` : mark && SPOKEN[mark],
    ]
      .filter(Boolean)
      .join(', '),
  };
}
