/**
 * KVM events for which the `fields` option prints other values than the usual text: raw registers and messages, which say
 * more. What the text would have said is made from them (macros and tables of arch/x86/kvm/trace.h).
 */
import * as apic from '../../model/events/apic.ts';
import * as ev from '../../model/events/virt.ts';
import { decodersById } from '../../model/message.ts';
import { apicIcr, ioApicEntry, x86Address, x86Data } from '../../model/registers/x86.ts';
import { either } from '../rules.ts';
import { type Ftrace, type FtraceRule, rule, VM } from './context.ts';
import { accepted, inject } from './virt.ts';

const IOAPIC = `${VM}/ioapic`;

const DELIVERY = ['Fixed', 'LowPrio', 'SMI', 'Res3', 'NMI', 'INIT', 'SIPI', 'ExtINT'];
const SHORTHAND = ['dst', 'self', 'all', 'all-but-self'];

/** The words in the brackets of the text. */
const words = (f: Ftrace, ...parts: readonly (string | false)[]): number => f.joined.of(parts);

/** Delivery mode and trigger mode lie alike in message data, redirection entries and ICR. */
const delivery = (bits: number): string => DELIVERY[x86Data.f.deliveryMode.of(bits)]!;
const trigger = (bits: number): string => (x86Data.f.trigger.in(bits) ? 'level' : 'edge');

function accept(name: string, posted: boolean): FtraceRule {
  return rule(
    name,
    'apicid={vcpu:n} dm={dm:n} tm={tm:n} vec={vector:n}',
    (f, c, s) =>
      accepted(
        f,
        c.lo[s.vcpu]!,
        c.lo[s.vector]!,
        words(f, delivery(c.lo[s.dm]!), c.lo[s.tm]! !== 0 ? 'level' : 'edge'),
        posted,
      ),
    { apicid: 'vcpu', vec: 'vector' },
  );
}

const rawRules: readonly FtraceRule[] = [
  accept('kvm_apic_accept_irq', false),
  accept('kvm_apicv_accept_irq', true),
  rule(
    'kvm_inj_virq',
    'vector={vector:n} soft={soft:n} reinjected={again:n}',
    (f, c, s) =>
      c.got[s.soft] && c.lo[s.soft] ? false : inject(f, c.lo[s.vector]!, c.got[s.again] === 1 && c.lo[s.again] !== 0),
    { irq: 'vector', reinjected: 'again' },
    (c, s) => c.got[s.vector] === 1,
  ),
  rule('kvm_msi_set_irq', 'address={address:n} data={data:n}', (f, c, s) => {
    const [lo, data] = [c.lo[s.address]!, c.lo[s.data]!];
    const { destMode, redirectionHint } = x86Address.f;
    const view = decodersById.x86.decode(lo, c.hi[s.address]!, data);
    f.emit(
      ev.kvmMsi
        .put()
        .dest(view?.destination ?? 0)
        .vector(view?.vector ?? x86Data.f.vector.of(data))
        .mode(
          words(
            f,
            delivery(data),
            destMode.in(lo) ? 'logical' : 'physical',
            trigger(data),
            redirectionHint.in(lo) && 'rh',
          ),
        )
        .address(lo, c.hi[s.address]!)
        .data(data),
      f.object(VM),
    );
  }),
  rule(
    'kvm_ioapic_set_irq',
    ['e={entry:n} pin={pin:n} coalesced={coalesced:n}', 'e={entry:n} pin={pin:n}'] as const,
    (f, c, s) => {
      const entry = c.lo[s.entry]!;
      const { f: field } = ioApicEntry;
      const masked = field.mask.in(entry) && 'masked';
      const event = ev.kvmIoapic
        .put()
        .pin(c.lo[s.pin]!)
        .dest(field.dest.of(c.hi[s.entry]!))
        .vector(field.vector.of(entry))
        .mode(words(f, delivery(entry), field.destMode.in(entry) ? 'logical' : 'physical', trigger(entry), masked));
      if (s.coalesced !== undefined && c.lo[s.coalesced] !== 0) event.coalesced(true);
      f.emit(event, f.object(IOAPIC));
    },
    { e: 'entry' },
  ),
  rule(
    'kvm_apic_ipi',
    'icr_low={icr:n} dest_id={dest:n}',
    (f, c, s) => {
      const icr = c.lo[s.icr]!;
      const { vector, destMode, level, shorthand } = apicIcr.f;
      f.emit(
        apic.kvmIpi
          .put()
          .dest(c.lo[s.dest]!)
          .vector(vector.of(icr))
          .mode(
            words(
              f,
              delivery(icr),
              destMode.in(icr) ? 'logical' : 'physical',
              level.in(icr) ? 'assert' : 'de-assert',
              trigger(icr),
              SHORTHAND[shorthand.of(icr)]!,
            ),
          ),
        f.vcpu >= 0 ? f.vcpu : f.object('vcpu/unknown/ipi'),
      );
    },
    { icr_low: 'icr', dest_id: 'dest' },
  ),
];

/** The same rules, reading also what the fields option prints. */
export function withRaw(rules: readonly FtraceRule[]): FtraceRule[] {
  return rules.map((text) => {
    const raw = rawRules.find((r) => r.name === text.name);
    return raw ? either(text, raw) : text;
  });
}
