import { QEMU_EVENTS_FILE, qemuEventsFile, qemuRecipe } from '../../kit/qemu.ts';
import { captureScript, KIT_FILE } from '../../kit/script.ts';
import { type Command, type Context, misused, readArguments } from '../command.ts';
import { DONE } from '../failure.ts';
import { jsonDocument } from '../json.ts';
import { writeFileWhole } from '../out-file.ts';
import { version } from '../version.ts';

async function run(args: readonly string[], { out }: Context): Promise<number> {
  const { values, positionals } = readArguments('kit', args, {
    out: { type: 'string' },
    print: { type: 'boolean' },
    qemu: { type: 'boolean' },
    hmp: { type: 'boolean' },
    qmp: { type: 'boolean' },
    json: { type: 'boolean' },
  });
  const { qemu = false, hmp = false, qmp = false } = values;
  if (positionals.length > 0) throw misused('kit', `kit takes no ${positionals[0]}; --out FILE writes a file`);
  if (values.print && values.out !== undefined) throw misused('kit', '--print and --out exclude one another');
  if ((hmp || qmp) && !qemu) throw misused('kit', `${hmp ? '--hmp' : '--qmp'} belongs to --qemu`);
  if (hmp && qmp) throw misused('kit', '--hmp and --qmp exclude one another');
  const target = values.out ?? (values.print || qemu || values.json ? '-' : KIT_FILE);
  if (values.json && target !== '-') throw misused('kit', '--json prints; it takes no --out');
  if (values.json) {
    const recipe = qemuRecipe();
    const answer = qemu ? recipe : { file: KIT_FILE, version: version(), script: captureScript(version()) };
    for (const part of jsonDocument(answer)) out.json(part);
    return DONE;
  }
  const lines = hmp ? qemuRecipe().hmp : qmp ? qemuRecipe().qmp : undefined;
  const text = lines !== undefined ? `${lines.join('\n')}\n` : qemu ? qemuEventsFile() : captureScript(version());
  if (target === '-') {
    out.raw(text);
    return DONE;
  }
  await writeFileWhole(target, async (file) => {
    file.add(new TextEncoder().encode(text));
    await file.drain();
  });
  if (!qemu) out.line(`${target}: run it as root on the machine to record: sh ${target} -o capture.tar`);
  return DONE;
}

/** `irqscope kit`. */
export const kit: Command = {
  name: 'kit',
  usage: '[--print] [--out FILE] [--qemu [--hmp|--qmp]]',
  help: `Writes the capture kit: a POSIX shell script that records on a target machine, into one tar file, what irqscope reads: trace
events and probes about interrupts, and what the kernel prints about them before and after. The target needs a shell
(busybox is enough) and root; nothing is installed there. docs/capture-kit.md tells what it records.

Options:
  --out FILE   the script; ${KIT_FILE} without it; - is standard output
  --print      prints the script
  --qemu       prints QEMU's trace events that irqscope reads, as a file for -trace events=FILE, with the options to give
  --hmp        with --qemu: commands of the human monitor, for a machine that runs
  --qmp        with --qemu: commands of QMP, for a machine that runs
  --json       {file, version, script}; with --qemu {events, options, hmp, qmp}

Examples:
  irqscope kit && sudo sh ${KIT_FILE} -o capture.tar
  irqscope kit --print | ssh root@host sh -s -- --seconds 30 > capture.tar
  irqscope kit --qemu --out ${QEMU_EVENTS_FILE}`,
  run,
};
