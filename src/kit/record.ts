import { eventTable, filterTable } from './events.ts';
import { probeTable } from './probes.ts';
import { shell } from './shell.ts';

/** The part of the capture script that sets up tracing and takes it down: instance, events, probes. */
export const recordPart = (): string => shell`

# ---- What is recorded -------------------------------------------------------------------------------------------------

# Option (or always), system, events. An event that this kernel does not have is left out.
event_table() {
  cat <<'END'
${eventTable()}
END
}

# System, event, filter. Without the filter the event would fill the buffer with what is not about interrupts.
filter_table() {
  cat <<'END'
${filterTable()}
END
}

# Kind (p entry, r return), function, needs, arguments. Of several lines for one function the first counts whose needs hold
# and that the kernel accepts. @1 is the first argument of the function. A place in a structure that is not known for this
# kernel is not read at all.
probe_table() {
  cat <<'END'
${probeTable()}
END
}

# ---- Writing to tracefs -----------------------------------------------------------------------------------------------

# Writes $1 into file $2; false where the kernel refuses it.
put() { { printf '%s\n' "$1" >"$2"; } 2>/dev/null; }
# Adds line $1 to file $2.
add() { { printf '%s\n' "$1" >>"$2"; } 2>/dev/null; }

find_tracefs() {
  for tracefs in "$root/sys/kernel/tracing" "$root/sys/kernel/debug/tracing"; do
    [ -e "$tracefs/trace_clock" ] && break
    tracefs=
  done
  if [ -z "$tracefs" ]; then
    [ -n "$root" ] || [ "$(id -u)" = 0 ] || die "this needs root: sudo sh irqscope-kit.sh -o capture.tar"
    die "there is no tracefs; perhaps: mount -t tracefs nodev /sys/kernel/tracing"
  fi
  [ -w "$tracefs/trace_clock" ] || die "this needs root: sudo sh irqscope-kit.sh -o capture.tar"
  [ -d "$tracefs/instances" ] || die "this kernel has no instances of its tracer (before 3.10), and the one that it has is not touched"
  instance=$tracefs/instances/irqscope
}

# Removes the instance of this script and its probes; nothing of others.
remove_tracing() {
  if [ -d "$instance" ]; then
    put 0 "$instance/tracing_on"
    put 0 "$instance/events/enable"
    rmdir "$instance" 2>/dev/null || { sleep 1; rmdir "$instance" 2>/dev/null; } || say "cannot remove $instance"
  fi
  if [ -f "$tracefs/kprobe_events" ]; then
    sed -n 's/^[pr][0-9]*:\(irqscope\/[^ ]*\).*/\1/p' "$tracefs/kprobe_events" >"$tmp/ours"
    while read -r probe; do
      add "-:$probe" "$tracefs/kprobe_events" || say "cannot remove the probe $probe"
    done <"$tmp/ours"
  fi
}

# ---- Probes -----------------------------------------------------------------------------------------------------------

# What this kernel lets a probe read, as a list of words.
find_abilities() {
  abilities=' nothing '
  riscv_arguments=' %a0 %a1 %a2 %a3 %a4 %a5 '
  if grep -q 'arg<N>' "$tracefs/README" 2>/dev/null; then
    # shellcheck disable=SC2016 # the kernel expands them
    arguments=' $arg1 $arg2 $arg3 $arg4 $arg5 $arg6 '
  else
    case $machine in
      x86_64) arguments=' %di %si %dx %cx %r8 %r9 ' ;;
      aarch64) arguments=' %x0 %x1 %x2 %x3 %x4 %x5 ' ;;
      riscv64) arguments=$riscv_arguments ;;
      *) arguments= ;;
    esac
  fi
  [ -z "$arguments" ] || abilities="$abilities args "
  grep -q '<argname>.*->' "$tracefs/README" 2>/dev/null && abilities="$abilities btf "
  major=$\{release%%.*}
  minor=$\{release#*.}
  minor=$\{minor%%[!0-9]*}
  is_number "$major" || major=0
  version=$((major * 1000 + $\{minor:-0}))
  case $machine in
    x86_64 | aarch64 | riscv64 | s390x | ppc64* | loongarch64)
      [ "$version" -lt 4004 ] || {
        abilities="$abilities layouts "
        if grep -qx msi_next_desc "$tmp/functions"; then
          abilities="$abilities msi-xarray "
        elif [ "$version" -le 5016 ]; then
          abilities="$abilities msi-list "
        fi
      }
      ;;
  esac
  last=$(cat "$root/sys/devices/system/cpu/possible" 2>/dev/null)
  last=$\{last##*[-,]}
  case $last in '' | *[!0-9]*) ;; *) [ "$last" -ge 64 ] || abilities="$abilities cpus64 " ;; esac
}

# The functions of the probe table, and one that tells a layout, that this kernel has, one a line.
find_functions() {
  { probe_table | while read -r _ name _; do echo "$name"; done; echo msi_next_desc; } | sort -u >"$tmp/wanted"
  sed -n 's/^[0-9a-fA-F]* [tTwW] \([^[:space:]]*\).*/\1/p' "$root/proc/kallsyms" 2>/dev/null >"$tmp/all"
  [ -s "$tmp/all" ] || sed 's/[[:space:]].*//' "$tracefs/available_filter_functions" 2>/dev/null >"$tmp/all"
  grep -Fxf "$tmp/wanted" "$tmp/all" | sort -u >"$tmp/functions"
  rm -f "$tmp/all"
}

# Whether all needs $1 (a list with commas) hold.
holds() {
  for need in $(echo "$1" | tr , ' '); do
    case $abilities in *" $need "*) ;; *) return 1 ;; esac
  done
}

# The arguments $1 of a probe, with @1, @2 … replaced by the words in $2.
with_arguments() {
  line=$1
  number=1
  for argument in $2; do
    line=$(printf '%s\n' "$line" | sed "s/@$number/$argument/g")
    number=$((number + 1))
  done
  printf '%s\n' "$line"
}

# Sets the probe $1, which reads $fetched from the arguments $2.
set_probe() {
  definition=$1
  [ -z "$fetched" ] || definition="$definition $(with_arguments "$fetched" "$2")"
  if add "$definition" "$tracefs/kprobe_events"; then
    done_names="$done_names$event "
    printf '%s\n' "$definition" >>"$tmp/probes"
  else
    printf '%s\n' "$definition" >>"$tmp/refused-probes"
    return 1
  fi
}

set_probes() {
  : >"$tmp/probes"
  : >"$tmp/refused-probes"
  [ "$with_probes" = 1 ] || return 0
  if ! [ -w "$tracefs/kprobe_events" ]; then
    say "this kernel has no kprobe events: messages, IRTEs and VFIO calls are not recorded"
    return 0
  fi
  done_names=' '
  probe_table >"$tmp/table"
  while read -r kind name needs fetched; do
    grep -qx "$name" "$tmp/functions" || continue
    event=$name
    [ "$kind" = p ] || event=$\{name}_ret
    case $done_names in *" $event "*) continue ;; esac
    holds "$needs" || continue
    set_probe "$kind:irqscope/$event $name" "$arguments" && continue
    # On RISC-V the first 8 bytes of a function belong to the function tracer, and no probe may stand there. Behind
    # them the arguments are still in their registers; only there the kernel knows them by no other name.
    case $kind$machine$needs in
      *btf*) ;;
      priscv64*) set_probe "$kind:irqscope/$event $name+8" "$riscv_arguments" ;;
    esac
  done <"$tmp/table"
}

# ---- Instance, events, buffer, clock ----------------------------------------------------------------------------------

# The folder of the instance is also the lock: two recordings never touch each other's probes.
make_instance() {
  if ! mkdir "$instance" 2>/dev/null; then
    [ ! -d "$instance" ] || die "another recording runs, or one was killed: then sh irqscope-kit.sh --clean"
    die "the kernel refuses an instance of its tracer (lockdown?)"
  fi
  ours=1
  put 0 "$instance/tracing_on"
}

choose_clock() {
  offered=" $(tr -d '[]' <"$instance/trace_clock") "
  for name in $clock mono boot; do
    case $offered in *" $name "*) put "$name" "$instance/trace_clock" && break ;; esac
    [ "$name" != "$clock" ] || die "--clock $clock: this kernel offers$offered"
  done
  selected=$(sed -n 's/.*\[\([^]]*\)\].*/\1/p' "$instance/trace_clock")
  clock=$\{selected:-$name}
}

# A sixteenth of the free memory, 512 MiB at most, shared by the CPUs; at least the kernel's usual 1408 KiB for each.
choose_buffer() {
  cpus=$(grep -c '^processor' "$root/proc/cpuinfo" 2>/dev/null)
  is_number "$cpus" || cpus=1
  size=$buffer_kb
  if [ -z "$size" ]; then
    free=$(sed -n 's/^MemAvailable:[[:space:]]*\([0-9]*\).*/\1/p' "$root/proc/meminfo" 2>/dev/null)
    is_number "$free" || free=524288
    size=$((free / 16))
    [ "$size" -le 524288 ] || size=524288
    size=$((size / cpus))
    [ "$size" -ge 1408 ] || size=1408
  fi
  until put "$size" "$instance/buffer_size_kb"; do
    size=$((size / 2))
    [ "$size" -gt 64 ] || break
  done
  buffer_kb=$(sed 's/[^0-9].*//' "$instance/buffer_size_kb")
}

# Enables event $1:$2 of the instance.
switch_on() {
  [ -e "$instance/events/$1/$2/enable" ] || return 0
  filter=$(filter_table | sed -n "s/^$1 $2 //p")
  case $1,$with_sched in sched,1) filter= ;; esac
  if [ -n "$filter" ] && ! put "$filter" "$instance/events/$1/$2/filter"; then
    say "the kernel refuses the filter of $1:$2: the event is left out"
    echo "$1:$2" >>"$tmp/refused-events"
    return 0
  fi
  if put 1 "$instance/events/$1/$2/enable"; then
    echo "$1:$2" >>"$tmp/events"
    [ -z "$filter" ] || printf '%s\n' "$1:$2 if $filter" >>"$tmp/filters"
  else
    echo "$1:$2" >>"$tmp/refused-events"
  fi
}

# Enables the events $2 … of system $1; * is all of them.
enable_all() {
  system=$1
  shift
  for wanted in "$@"; do
    case $wanted in
      '*') for file in "$instance/events/$system"/*/enable; do
        file=$\{file%/enable}
        switch_on "$system" "$\{file##*/}"
      done ;;
      *) switch_on "$system" "$wanted" ;;
    esac
  done
}

choose_events() {
  : >"$tmp/events"
  : >"$tmp/filters"
  : >"$tmp/refused-events"
  event_table >"$tmp/table"
  printf '%s\n' "$more_events" | tr , '\n' | sed -n 's/^\([^:]*\):\(.*\)$/always \1 \2/p' >>"$tmp/table"
  set -f
  while read -r option system names; do
    case $option in
      sched) [ "$with_sched" = 1 ] || continue ;;
      exits) [ "$with_exits" = 1 ] || continue ;;
    esac
    # shellcheck disable=SC2086 # names of events, divided on purpose
    set -- $names
    set +f
    enable_all "$system" "$@"
    set -f
  done <"$tmp/table"
  set +f
  # The table of probes makes events of its own.
  sed 's/^.:irqscope\/\([^ ]*\).*/\1/' "$tmp/probes" >"$tmp/table"
  while read -r event; do
    put 1 "$instance/events/irqscope/$event/enable" || say "cannot record the probe $event"
  done <"$tmp/table"
}
`;
