#!/usr/bin/env bash
# Fuzzes what `./dev fuzz` has built: run.sh TARGET|all [--seconds N] [--keep]
# Begins with the kept corpus (tests/fuzz/corpus) and what earlier runs found (build-fuzz/corpus). Ends
# with 1 if anything was found, and says how to replay it.
#   --keep   afterwards, inputs that reach something new go into the kept corpus, as few as will do
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() { printf 'fuzz: %s\n' "$*" >&2; exit 64; }

target=${1:-all} seconds=60 keep=0
shift || true
while (($# > 0)); do
  case $1 in
    --seconds) seconds=${2:?--seconds N}; shift 2 ;;
    --keep) keep=1; shift ;;
    *) fail "no such option: $1" ;;
  esac
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "--seconds wants a number, not $seconds"

if [[ $target == all ]]; then
  more=()
  if ((keep)); then more=(--keep); fi
  find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -printf '%f\n' | sort |
    xargs -P "$(nproc)" -I{} tests/fuzz/run.sh {} --seconds "$seconds" "${more[@]}" || exit 1
  exit 0
fi

program=build-fuzz/bin/fuzz_$target
kept=tests/fuzz/corpus/$target found=build-fuzz/corpus/$target findings=build-fuzz/findings/
log=build-fuzz/fuzz_$target.log
dictionary=tests/fuzz/dictionary/$target.dict
[[ -x $program ]] || fail "no such target: $target (there are: $(echo all; ls tests/fuzz/corpus))"
mkdir -p "$found" "$findings"

options=(-timeout=20 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 "-artifact_prefix=$findings$target-")
case $target in
  http) options+=(-max_len=20000) ;;  # more than a header may have
  connection) options+=(-max_len=4096) dictionary=tests/fuzz/dictionary/http.dict ;;
  retry_after_and_rate) options+=(-max_len=256) ;;
esac
# Sheets are spooled to a file without a name: in memory it costs a third.
if [[ -d /dev/shm && -w /dev/shm ]]; then export TMPDIR=/dev/shm; fi

status=0
"$program" "${options[@]}" "-max_total_time=$seconds" "-dict=$dictionary" "$found" "$kept" >"$log" 2>&1 || status=$?
stat_of() { sed -n "s/^stat::$1: *//p" "$log"; }
if ((status == 72)); then  # libFuzzer's own for SIGINT and SIGTERM
  printf '%-22s interrupted after %s runs, nothing found until then\n' "$target" "$(stat_of number_of_executed_units)"
  exit 1
fi
if ((status != 0)); then
  # What failed comes first in the log; the rest is the stack.
  grep -aE '^bug: |runtime error|ERROR: |after: ' "$log" | head -n 5 || tail -n 5 "$log"
  input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  printf '%-22s FOUND something in %s runs; replay it with\n  %s %s\n' "$target" "$(stat_of number_of_executed_units)" \
    "$program" "${input:-  (no input was written; see $log)}"
  exit 1
fi
printf '%-22s %s runs, %s a second, %s new inputs, nothing found\n' "$target" \
  "$(stat_of number_of_executed_units)" "$(stat_of average_exec_per_sec)" "$(stat_of new_units_added)"
if ((keep)); then "$program" "${options[@]}" -use_counters=0 -set_cover_merge=1 "$kept" "$found" >>"$log" 2>&1; fi
