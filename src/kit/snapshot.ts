import { shell } from './shell.ts';

/** The part of the capture script that takes a snapshot of what the kernel prints about interrupts, with stamps of both clocks. */
export const snapshotPart = (): string => shell`

# ---- Snapshots --------------------------------------------------------------------------------------------------------

# The time of day in seconds; with a fraction where date has one.
now() {
  stamp=$(date +%s.%N 2>/dev/null)
  case $stamp in
    *[!0-9.]* | '') date +%s ;;
    *) echo "$stamp" ;;
  esac
}

# Writes the time of day into the trace and into clock.txt of snapshot $1; $2 is begin or end.
stamp_clocks() {
  before=$(now)
  put "irqscope: clock snapshot-$1 $2 realtime=$before" "$instance/trace_marker"
  until=$(now)
  read -r uptime _ <"$root/proc/uptime" 2>/dev/null || uptime=unknown
  echo "$2 realtime=$before until=$until uptime=$uptime" >>"$folder/snapshot-$1/clock.txt"
}

# Copies file $1 to $2, if it can be read and holds something.
keep() {
  cat "$1" >"$2" 2>/dev/null
  [ -s "$2" ] || rm -f "$2"
}

# Keeps the files "$@" as lines of path:value, as grep prints them.
keep_lines() {
  to=$1
  shift
  # The kernel takes only so many arguments at a time: machines have thousands of irqs. Names of actions may hold blanks.
  if command -v xargs >/dev/null; then
    printf '%s\n' "$@" | tr '\n' '\0' | xargs -0 grep -s . /dev/null 2>/dev/null
  else
    grep -s . /dev/null "$@" 2>/dev/null
  fi | sed "s|^$root/|/|" >"$to"
  [ -s "$to" ] || rm -f "$to"
}

take_snapshot() {
  at=$folder/snapshot-$1
  mkdir -p "$at/proc" "$at/sys" "$at/debug"
  stamp_clocks "$1" begin
  keep "$root/proc/interrupts" "$at/proc/interrupts"
  keep "$root/proc/softirqs" "$at/proc/softirqs"
  keep_lines "$at/proc/irq.txt" "$root"/proc/irq/default_smp_affinity "$root"/proc/irq/*/*
  keep_lines "$at/sys/kernel-irq.txt" "$root"/sys/kernel/irq/*/*
  keep_lines "$at/sys/msi_irqs.txt" "$root"/sys/bus/pci/devices/*/msi_irqs/*
  keep "$root/sys/devices/system/cpu/online" "$at/sys/cpu-online.txt"
  for file in "$root"/sys/kernel/debug/irq/irqs/* "$root"/sys/kernel/debug/irq/domains/* \
    "$root"/sys/kernel/debug/iommu/*/ir_translation_struct "$root"/sys/kernel/debug/kvm/*/vgic-*; do
    [ -f "$file" ] || continue
    to=$at/debug/$\{file#"$root"/sys/kernel/debug/}
    mkdir -p "$\{to%/*}"
    keep "$file" "$to"
  done
  if [ "$with_lspci" = 1 ] && command -v lspci >/dev/null; then
    lspci -D -vvvxxxx >"$at/lspci.txt" 2>/dev/null
    [ -s "$at/lspci.txt" ] || rm -f "$at/lspci.txt"
  fi
  if [ "$with_dmesg" = 1 ]; then
    dmesg 2>/dev/null | tail -n 2000 >"$at/dmesg.txt"
    if [ "$with_cmdline" != 1 ]; then
      sed '/[Cc]ommand line:/d' "$at/dmesg.txt" >"$tmp/dmesg"
      mv "$tmp/dmesg" "$at/dmesg.txt"
    fi
    [ -s "$at/dmesg.txt" ] || rm -f "$at/dmesg.txt"
  fi
  uname -srvm >"$at/uname.txt"
  [ "$with_cmdline" != 1 ] || keep "$root/proc/cmdline" "$at/proc/cmdline"
  stamp_clocks "$1" end
  rmdir "$at/debug" 2>/dev/null
  return 0
}
`;
