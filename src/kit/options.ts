import { shell } from './shell.ts';

/** The head of the capture script: what it is, its `--help`, its options. */
export const optionsPart = (version: string): string => shell`
#!/bin/sh
# IRQScope capture kit ${version}: records how this machine's interrupts are set up and delivered.
#
# It needs a POSIX shell (busybox is enough) and root. It asks nothing of the network, installs nothing, and takes back every
# setting when it ends, also when it is interrupted. What it writes is one tar file:
#
#     sudo sh irqscope-kit.sh -o capture.tar
#     ssh root@host sh -s < irqscope-kit.sh > capture.tar
#     ssh root@host sh -s -- --seconds 30 < irqscope-kit.sh > capture.tar
#
# Then, where IRQScope is installed: irqscope info capture.tar
#
# shellcheck disable=SC2317 # clean_up and what it calls are reached by trap

KIT_VERSION='${version}'

usage() {
  cat <<'END'
Usage: sh irqscope-kit.sh [OPTIONS] [-- COMMAND [ARGUMENTS]]

Records trace events about interrupts for some seconds, or while COMMAND runs, takes a snapshot before and after, and writes
one tar file to standard output. Progress goes to standard error. Needs root.

Options (and the environment variable for each):
  -s, --seconds N    how long to record; without COMMAND only        IRQSCOPE_SECONDS     10
  -o, --output FILE  the tar file; - is standard output              IRQSCOPE_OUTPUT      -
  --buffer-kb N      trace buffer of each CPU, in KiB                IRQSCOPE_BUFFER_KB   by free memory
  --clock NAME       trace clock                                     IRQSCOPE_CLOCK       mono, else boot
  --events LIST      more events, such as ipi:ipi_send_cpu,irq:*     IRQSCOPE_EVENTS      none
  --sched            events of the scheduler for all threads, not    IRQSCOPE_SCHED=1
                     only for those that handle irqs
  --no-exits         without kvm_entry and kvm_exit, which are many  IRQSCOPE_EXITS=0
  --no-probes        without kprobes                                 IRQSCOPE_PROBES=0
  --no-lspci         without lspci: its dump of the configuration    IRQSCOPE_LSPCI=0
                     space wakes sleeping devices and holds their
                     serial numbers
  --no-dmesg         without the kernel log                          IRQSCOPE_DMESG=0
  --with-cmdline     with the command line of the kernel and COMMAND IRQSCOPE_CMDLINE=1
  --clean            record nothing; remove what a recording left
                     that was killed
  -h, --help         this text

It does not write the host name: where another text holds it as a word, HOST stands there.
Exit status: 0 done; 1 it could not record; 2 wrong arguments; 128 and more: ended by a signal, nothing is written.
END
}

say() { printf 'irqscope-kit: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
misused() { say "$*; see --help"; exit 2; }

seconds=$\{IRQSCOPE_SECONDS:-10}
output=$\{IRQSCOPE_OUTPUT:--}
buffer_kb=$\{IRQSCOPE_BUFFER_KB:-}
clock=$\{IRQSCOPE_CLOCK:-}
more_events=$\{IRQSCOPE_EVENTS:-}
with_sched=$\{IRQSCOPE_SCHED:-0}
with_exits=$\{IRQSCOPE_EXITS:-1}
with_probes=$\{IRQSCOPE_PROBES:-1}
with_lspci=$\{IRQSCOPE_LSPCI:-1}
with_dmesg=$\{IRQSCOPE_DMESG:-1}
with_cmdline=$\{IRQSCOPE_CMDLINE:-0}
only_clean=0
# For tests: a folder that stands for / where files of the kernel are read and written.
root=$\{IRQSCOPE_ROOT:-}

is_number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  [ "$1" -gt 0 ]
}

# Sets the variables above; leaves the rest of the arguments, the command, in "$@" of main by counting them in used.
read_options() {
  used=0
  while [ $# -gt 0 ]; do
    case $1 in
      -s | --seconds | -o | --output | --buffer-kb | --clock | --events)
        [ $# -gt 1 ] || misused "$1 needs a value"
        case $1 in
          -s | --seconds) seconds=$2 ;;
          -o | --output) output=$2 ;;
          --buffer-kb) buffer_kb=$2 ;;
          --clock) clock=$2 ;;
          --events) more_events=$2 ;;
        esac
        shift
        used=$((used + 1))
        ;;
      --sched) with_sched=1 ;;
      --no-exits) with_exits=0 ;;
      --no-probes) with_probes=0 ;;
      --no-lspci) with_lspci=0 ;;
      --no-dmesg) with_dmesg=0 ;;
      --with-cmdline) with_cmdline=1 ;;
      --clean) only_clean=1 ;;
      -h | --help)
        usage
        exit 0
        ;;
      --)
        used=$((used + 1))
        break
        ;;
      *) misused "there is no option $1" ;;
    esac
    shift
    used=$((used + 1))
  done
  is_number "$seconds" || misused "--seconds $seconds: expected a whole number above 0"
  [ -z "$buffer_kb" ] || is_number "$buffer_kb" || misused "--buffer-kb $buffer_kb: expected a whole number above 0"
}
`;
