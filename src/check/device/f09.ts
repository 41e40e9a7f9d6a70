import { pbaRead, tblRead, tblWrite } from '../../model/events/msix.ts';
import { message } from '../../model/events/notes.ts';
import { illegal } from '../../model/events/outcome.ts';
import { entryName } from '../names.ts';
import type { Rule } from '../rule.ts';

/** What QEMU says of an access that a region refuses (system/memory.c memory_region_access_valid). */
const REFUSED = /^Invalid (read|write) at addr (0x[0-9a-f]+), size (\d+), region '(msix-[^']*|msix)', reason: (.*)$/i;

const WHERE = 'the table is accessed in aligned dwords and qwords only; the result of any other access is undefined';

/** F09. */
export const accessesAligned: Rule<'F09'> = {
  id: 'F09',
  names: ['INV-ACC'],
  title: 'Illegal access of table or pending bits',
  meaning: 'The MSI-X table and the pending bit array are accessed in aligned dwords or qwords.',
  reference: 'PCIe 6.1.4.2',
  severity: 'error',
  kinds: [tblRead, tblWrite, pbaRead, illegal, message],
  needs: [[tblRead, tblWrite, pbaRead]],
  needsAll: false,
  confirm: 'the access in the code of the driver (QEMU: -d guest_errors tells what it refuses)',
  watch(report, scene) {
    let judged = 0;
    const { strings } = scene.world;
    return {
      event(step, { kind, object, words, at }) {
        if (kind === message || kind === illegal) {
          const text = kind === message ? strings.text(message.read(words, at).text) : '';
          const refused = kind === message ? REFUSED.exec(text) : null;
          const rule = kind === illegal ? strings.text(illegal.read(words, at).rule) : '';
          if (refused === null && rule !== 'U1') return;
          judged++;
          const what = refused === null ? strings.text(illegal.read(words, at).text) : text;
          report({
            step,
            object,
            title:
              refused === null
                ? `illegal access of ${entryName(scene.world, object)}`
                : `a ${refused[3]}-byte ${refused[1]} at ${refused[2]} of ${refused[4]} was refused`,
            text: `${what}: ${WHERE}.`,
            evidence: [],
          });
          return;
        }
        judged++;
        const pba = kind === pbaRead;
        const { size } = pba ? pbaRead.read(words, at) : tblRead.read(words, at);
        const offset = pba ? pbaRead.read(words, at).first >>> 3 : tblRead.read(words, at).offset;
        if ((size === 4 || size === 8) && offset % size === 0) return;
        const name = pba ? `the pending bits of ${scene.world.path(object)}` : entryName(scene.world, object);
        const how = kind === tblWrite ? 'written' : 'read';
        report({
          step,
          object,
          title: `${name} was ${how} with ${size} ${size === 1 ? 'byte' : 'bytes'} at offset ${offset}`,
          text: `${name} was ${how} with ${size} ${size === 1 ? 'byte' : 'bytes'} at byte offset ${offset}: ${WHERE}.`,
          evidence: [],
        });
      },
      lost() {},
      get judged() {
        return judged;
      },
    };
  },
};
