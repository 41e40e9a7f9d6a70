// What the capture kit records is what the importers read.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { avicRules } from '../../src/import/ftrace/avic.ts';
import { consoleRules } from '../../src/import/ftrace/console.ts';
import { iommuRules } from '../../src/import/ftrace/iommu.ts';
import { irqRules } from '../../src/import/ftrace/irq.ts';
import { SILENT } from '../../src/import/ftrace/known.ts';
import { schedRules } from '../../src/import/ftrace/sched.ts';
import { virtRules } from '../../src/import/ftrace/virt.ts';
import { KIT_EVENTS, KIT_FILTERS } from '../../src/kit/events.ts';
import { KIT_PROBES } from '../../src/kit/probes.ts';
import { qemuEventsFile, qemuRecipe } from '../../src/kit/qemu.ts';
import { captureScript } from '../../src/kit/script.ts';
import { answered, root } from '../cli/run.ts';

describe('capture kit: lists', () => {
  it('every event that it names is one that the importer knows', () => {
    const known = new Set([
      ...[...irqRules, ...virtRules, ...avicRules, ...iommuRules, ...consoleRules, ...schedRules].map(
        ({ name }) => name,
      ),
      ...SILENT,
    ]);
    const named = KIT_EVENTS.filter(({ option }) => option !== 'sched').flatMap(({ names }) => names);
    assert.deepEqual(
      named.filter((name) => name !== '*' && !known.has(name)),
      [],
    );
    for (const { system, name } of KIT_FILTERS)
      assert.ok(KIT_EVENTS.some((events) => events.system === system && events.names.includes(name)));
  });

  it('the functions of the table that the domain asks for have a probe', () => {
    const probed = new Set(KIT_PROBES.map((probe) => probe.function));
    for (const name of `__pci_write_msi_msg pci_irq_mask_msix pci_irq_unmask_msix modify_irte intel_ir_set_affinity
      intel_irq_remapping_activate intel_irq_remapping_deactivate amd_ir_set_affinity irq_domain_activate_irq
      irq_domain_deactivate_irq vfio_pci_set_irqs_ioctl vfio_msihandler kvm_irqfd irqfd_wakeup irqfd_inject
      kvm_set_irq_routing vmx_vcpu_pi_load vmx_vcpu_pi_put pi_wakeup_handler its_send_mapti its_send_movi its_send_discard
      iommufd_sw_msi iommu_dma_sw_msi idxd_device_request_int_handle idxd_device_set_perm_entry`.split(/\s+/))
      assert.ok(probed.has(name), name);
  });

  it('an offset in a structure needs a layout that is known', () => {
    for (const { function: name, needs, args } of KIT_PROBES) {
      if (/[@]/.test(args)) assert.ok(needs.includes('args'), name);
      if (/\w->/.test(args)) assert.ok(needs.includes('btf'), name);
      // Messages, irqfds and eventfds of user space have the same form on all kernels.
      const own = args.replaceAll(/\b(?:lo|hi|data|fd|gsi|flags|fd0)=\S+/g, '');
      if (/\+\d+\(@/.test(own))
        assert.ok(
          needs.some((need) => ['layouts', 'msi-list', 'msi-xarray'].includes(need)),
          `${name} ${args}`,
        );
    }
  });

  it('the importer reads the probes that a kernel printed', async () => {
    const { out } = await answered(['events', 'test/fixtures/kit/trace.txt', '--json', '--filter', 'object == irq/28']);
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string; fields: Record<string, unknown> });
    const mask = events.find(({ kind }) => kind === 'irq.mask');
    // hwirq 65538 is function 00:04.0 (65538 >> 11 = 32), entry 2.
    assert.equal(mask?.fields['hwirq'], 2);
    assert.ok(events.some(({ kind }) => kind === 'msg.write'));
    const identity = events.find(({ kind }) => kind === 'irq.identify');
    assert.equal(identity?.fields['device'], '0000:00:04.0');
  });

  it('the events of QEMU are those that change the state, in a file as QEMU reads it', () => {
    const { events, options } = qemuRecipe();
    for (const name of ['msix_write_config', 'vtd_ir_remap', 'vfio_msix_vector_do_use', 'gicv3_its_cmd_mapti'])
      assert.ok(events.includes(name), name);
    for (const name of ['vtd_iotlb_page_hit', 'ahci_reset']) assert.ok(!events.includes(name), name);
    const lines = qemuEventsFile().trimEnd().split('\n');
    assert.deepEqual(
      lines.filter((line) => !line.startsWith('#')),
      events,
    );
    for (const option of options) assert.ok(qemuEventsFile().includes(option));
  });

  it('QEMU takes the events file, where it is installed', function () {
    this.timeout(60_000);
    const qemu = 'qemu-system-x86_64';
    if (spawnSync(qemu, ['--version']).status !== 0) this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'irqscope-kit-qemu-'));
    try {
      writeFileSync(join(folder, 'events.txt'), qemuEventsFile());
      const args = [
        '-trace',
        `events=${join(folder, 'events.txt')}`,
        '-D',
        join(folder, 'log'),
        '-msg',
        'timestamp=on',
      ];
      const { hmp } = qemuRecipe();
      // The answer to all events is long, and quit cuts it off.
      const asked = ['msix_write_config', 'vtd_ir_remap', 'vtd_iotlb_page_hit'];
      const monitor = [...asked.map((name) => `info trace-events ${name}`), hmp[1], 'quit'].join('\n');
      const said = execFileSync(qemu, [...args, '-machine', 'none', '-display', 'none', '-monitor', 'stdio', '-S'], {
        input: `${monitor}\n`,
        stdio: ['pipe', 'pipe', 'ignore'],
      }).toString();
      for (const name of ['msix_write_config', 'vtd_ir_remap']) assert.match(said, new RegExp(`${name} : state 1`));
      assert.match(said, /vtd_iotlb_page_hit : state 0/);
      assert.doesNotMatch(said, /unknown command|unknown event/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('the document names every option of the script', () => {
    const document = readFileSync(resolve(root, 'docs/capture-kit.md'), 'utf8');
    for (const [option] of captureScript('1').matchAll(/^ {2}(?:-\w, )?--[a-z-]+/gm))
      assert.ok(document.includes(option.trim().replace(/^-\w, /, '')), option);
  });
});
