import { shell } from './shell.ts';

/** The end of the capture script: the recording itself, `kit.json`, the tar file, and what happens when it is interrupted. */
export const finishPart = (): string => shell`

# ---- kit.json ---------------------------------------------------------------------------------------------------------

# A text as JSON.
json_text() { printf '"%s"' "$(printf '%s' "$1" | tr -d '[:cntrl:]' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# The lines of file $1 as a list of texts.
json_lines() {
  separator=
  printf '['
  while IFS= read -r text; do
    printf '%s\n    %s' "$separator" "$(json_text "$text")"
    separator=,
  done <"$1"
  printf ']'
}

# The clock pairs: the time of day beside the stamp that the trace gave to it; null where the mark was overwritten.
json_clocks() {
  grep 'tracing_mark_write: irqscope: clock ' "$folder/trace" >"$tmp/marks"
  separator=
  printf '['
  for number in 0 1; do
    while read -r place realtime until uptime; do
      stamp=$(sed -n "s/.*[[:space:]]\([0-9][0-9.]*\): tracing_mark_write: irqscope: clock snapshot-$number $place .*/\1/p" "$tmp/marks")
      printf '%s\n    {"snapshot": %s, "at": "%s", "realtime": "%s", "until": "%s", "uptime": "%s", "trace": ' \
        "$separator" "$number" "$place" "$\{realtime#*=}" "$\{until#*=}" "$\{uptime#*=}"
      if [ -n "$stamp" ]; then printf '"%s"}' "$stamp"; else printf 'null}'; fi
      separator=,
    done <"$folder/snapshot-$number/clock.txt"
  done
  printf ']'
}

write_kit_json() {
  {
    printf '{\n  "kit": 1,\n  "version": %s,\n' "$(json_text "$KIT_VERSION")"
    printf '  "kernel": %s,\n  "machine": %s,\n' "$(json_text "$release")" "$(json_text "$machine")"
    printf '  "cpus": %s,\n  "bufferKb": %s,\n' "$cpus" "$\{buffer_kb:-null}"
    printf '  "seconds": %s,\n' "$recorded"
    printf '  "traceClock": %s,\n  "clocks": %s,\n' "$(json_text "$clock")" "$(json_clocks)"
    printf '  "events": %s,\n  "refusedEvents": %s,\n' "$(json_lines "$tmp/events")" "$(json_lines "$tmp/refused-events")"
    printf '  "filters": %s,\n' "$(json_lines "$tmp/filters")"
    printf '  "probes": %s,\n  "refusedProbes": %s' "$(json_lines "$tmp/probes")" "$(json_lines "$tmp/refused-probes")"
    if [ "$with_cmdline" = 1 ]; then
      printf ',\n  "kernelCommandLine": %s,\n' "$(json_text "$(cat "$root/proc/cmdline" 2>/dev/null)")"
      printf '  "command": %s' "$(json_text "$*")"
    fi
    printf '\n}\n'
  } >"$folder/kit.json"
}

# ---- The recording ----------------------------------------------------------------------------------------------------

# Replaces the host name, where it stands as a word.
hide_host() {
  full=$(uname -n)
  for host in "$full" "$\{full%%.*}"; do
    case $host in '' | localhost | '(none)' | HOST) continue ;; esac
    pattern=$(printf '%s' "$host" | sed 's/\./\\./g')
    expression="s/(^|[^A-Za-z0-9_])$pattern([^A-Za-z0-9_]|\$)/\1HOST\2/g"
    grep -rlF -e "$host" "$folder" | while IFS= read -r file; do
      # Twice: two names beside one another share the character between them.
      sed -E -e "$expression" -e "$expression" "$file" >"$tmp/hidden" && cat "$tmp/hidden" >"$file"
    done
  done
}

# Waits for the process $1, so that a signal ends the waiting.
wait_for() {
  child=$1
  wait "$child"
  status=$?
  child=
  return $status
}

record() {
  put 1 "$instance/tracing_on" || die "the kernel refuses to trace"
  say "taking a snapshot"
  take_snapshot 0
  started=$(date +%s)
  if [ $# -gt 0 ]; then
    say "recording while the command runs"
    "$@" </dev/null >&2 &
    wait_for $! || say "the command ended with status $?"
  else
    say "recording for $seconds s"
    sleep "$seconds" &
    wait_for $!
  fi
  recorded=$(($(date +%s) - started))
  say "taking a snapshot"
  take_snapshot 1
  put 0 "$instance/tracing_on"
}

keep_trace() {
  say "reading the trace"
  cat "$instance/trace" >"$folder/trace" || die "the trace cannot be read; is there space in $\{TMPDIR:-/tmp}?"
  mkdir "$folder/trace-stats"
  for cpu in "$instance"/per_cpu/cpu*; do
    [ ! -f "$cpu/stats" ] || cat "$cpu/stats" >"$folder/trace-stats/$\{cpu##*/}.txt"
  done
  lost=$(cat "$folder"/trace-stats/*.txt 2>/dev/null | sed -n 's/^\(overrun\|commit overrun\|dropped events\): \([1-9][0-9]*\)$/\2/p')
  [ -z "$lost" ] || say "events were lost: record for a shorter time, or give --buffer-kb more than $buffer_kb"
}

# Takes everything back. Called once, whatever ends the script.
clean_up() {
  trap '' HUP INT PIPE TERM
  [ -z "$child" ] || kill "$child" 2>/dev/null
  [ "$ours" = 0 ] || remove_tracing
  [ -z "$half" ] || rm -f "$half"
  [ -z "$tmp" ] || rm -rf "$tmp"
}

main() {
  LC_ALL=C
  export LC_ALL
  set -u
  umask 077
  read_options "$@"
  shift "$used"
  [ "$only_clean" = 1 ] || [ "$output" != - ] || ! [ -t 1 ] || misused "standard output is a terminal; give -o FILE"
  child='' half='' tmp='' ours=0
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  tmp=$(mktemp -d "$\{TMPDIR:-/tmp}/irqscope-kit.XXXXXX") || die "mktemp makes no folder"
  release=$(uname -r)
  machine=$(uname -m)
  find_tracefs
  if [ "$only_clean" = 1 ]; then
    say "removing what is left of other recordings"
    ours=1
    exit 0
  fi
  folder=$tmp/irqscope-$(date +%Y%m%d-%H%M%S)
  mkdir "$folder" "$folder/snapshot-0" "$folder/snapshot-1"
  find_functions
  find_abilities
  make_instance
  set_probes
  choose_clock
  choose_buffer
  choose_events
  say "$(wc -l <"$tmp/events" | tr -d ' ') events, $(wc -l <"$tmp/probes" | tr -d ' ') probes, clock $clock, $buffer_kb KiB for each CPU"
  record "$@"
  keep_trace
  write_kit_json "$@"
  hide_host
  say "writing the tar file"
  if [ "$output" = - ]; then
    tar -cf - -C "$tmp" "$\{folder##*/}" || die "the tar file cannot be written"
  else
    half=$output.part
    tar -cf "$half" -C "$tmp" "$\{folder##*/}" || die "$output cannot be written"
    [ -z "$\{SUDO_UID:-}" ] || chown "$SUDO_UID" "$half"
    mv "$half" "$output" || die "$output cannot be written"
    half=
    say "written: $output"
  fi
}

# The script may be standard input (ssh host sh -s): what it runs must not read from there, nor does the shell wait for more.
main "$@" </dev/null; exit
`;
