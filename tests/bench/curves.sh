#!/usr/bin/env bash
# ./dev bench curves: entities a second and CPU an entity of dl-daemon against requests in flight, workers, size of
# the table and size of the payload, without a rate limit. Prints a table and draws docs/curves.svg (gnuplot).
#
#   curves.sh [--only in_flight,workers,payload,table] [--runs N] [--quick] [--bin FOLDER] [--scratch FOLDER] [--keep FILE]
#
#   --quick       one run a point, tables up to 100,000 jobs; draws nothing
#   --keep FILE   points measured so far, added to and drawn together: a long series in pieces
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/build/bin
only=in_flight,workers,payload,table runs=3 scratch_in=${TMPDIR:-/tmp} keep='' largest=10000000 draws=yes

while (($# > 0)); do
  case $1 in
    --only) only=${2:?}; shift ;;
    --runs) runs=${2:?}; shift ;;
    --quick) runs=1 largest=100000 draws=no ;;
    --bin) bin=$(cd "${2:?}" && pwd); shift ;;
    --scratch) scratch_in=${2:?}; shift ;;
    --keep) keep=$(realpath -m "${2:?}"); shift ;;
    *) sed -n '2,/^set /{/^#/p}' "$0" >&2; exit 64 ;;
  esac
  shift
done

# shellcheck source=tests/bench/stage.sh
. "$here/stage.sh"
stage_begin "$scratch_in"
points=${keep:-$scratch/points}
touch "$points"
asks() { [[ ,$only, == *,$1,* ]]; }

# sheet NAME CAMPAIGNS PAYLOAD: campaigns of 10 ad groups of 50 ads, 511 entities each
sheet() {
  "$bin/dl-make-sheet" --campaigns "$2" --ad-groups 10 --ads 50 --payload "$3" --seed "$RANDOM" -o "$scratch/$1.csv"
}

# measure CURVE X DB IN_FLIGHT WORKERS: drains DB, notes curve, x, entities/s, CPU us an entity
measure() {
  local before after wall cpu first
  before=$(sql "$3" "SELECT coalesce(sum(n), 0) FROM job_count WHERE state = 'succeeded'")
  first=$(sql "$3" "SELECT coalesce(max(id), 0) FROM request")
  TIMEFORMAT='%U %S'
  cpu=$({ time "$bin/dl-daemon" --db "$3" --endpoint "http://127.0.0.1:$port" --rate-limit none --in-flight "$4" \
    --workers "$5" --unknown-outcome resubmit --drain --log-level error >"$scratch/daemon.log" 2>&1 </dev/null; } 2>&1) || true
  after=$(sql "$3" "SELECT sum(n) FROM job_count WHERE state = 'succeeded'")
  ((after > before)) || fail "nothing was sent: $(tail -3 "$scratch/daemon.log")"
  wall=$(sql "$3" "SELECT max(finished_at) - min(sent_at) FROM request WHERE id > $first")
  awk -v curve="$1" -v x="$2" -v n=$((after - before)) -v wall="$wall" -v cpu="$cpu" '
    BEGIN { split(cpu, c, " "); printf "%s %s %.0f %.1f\n", curve, x, n * 1000 / wall, (c[1] + c[2]) * 1e6 / n }' |
    tee -a "$points" >&2
}

# measure_sheet CURVE X SHEET IN_FLIGHT WORKERS: on a database of its own
measure_sheet() {
  local db=$scratch/run.db
  rm -f "$db"*
  "$bin/dl-ingest" --db "$db" "$scratch/$3.csv" >/dev/null 2>&1 || fail "dl-ingest ended with $?"
  measure "$1" "$2" "$db" "$4" "$5"
  rm -f "$db"*
}

for program in dl-daemon dl-ingest dl-make-sheet dl-make-table; do
  [[ -x $bin/$program ]] || fail "$bin/$program is missing"
done
start_nginx
sheet few 10 0
sheet many 40 0

if asks in_flight; then
  for ((run = 0; run < runs; ++run)); do
    for x in 1 2 4 8 16 32 64 128 256 512; do
      sheet=many
      if ((x < 16)); then sheet=few; fi
      measure_sheet in_flight "$x" "$sheet" "$x" 3
    done
  done
fi
if asks workers; then
  for ((run = 0; run < runs; ++run)); do
    for x in 1 2 3 4 6 8; do measure_sheet workers "$x" many 128 "$x"; done
  done
fi
if asks payload; then
  for ((run = 0; run < runs; ++run)); do
    for x in 200 1000 4000 16000; do
      sheet payload 20 $((x - 160))  # the other fields take about 160 bytes
      measure_sheet payload "$x" payload 128 3
    done
  done
fi
if asks table; then
  for ((x = 1000; x <= largest; x *= 10)); do
    rm -f "$scratch/table.db"*
    "$bin/dl-make-table" --db "$scratch/table.db" --jobs "$x" --live 0
    for ((run = 0; run < runs; ++run)); do
      sheet "table$run" 40 0
      # Other ids than the sheets before it, so that all are new.
      sed -i "2,\$s/^cmp_/cmp_r${run}_/" "$scratch/table$run.csv"
      "$bin/dl-ingest" --db "$scratch/table.db" "$scratch/table$run.csv" >/dev/null 2>&1 || fail "dl-ingest ended with $?"
      measure table "$x" "$scratch/table.db" 128 3
    done
  done
  rm -f "$scratch/table.db"*
fi

# --- table and drawing -----------------------------------------------------------------------------

# medians CURVE: x, entities/s, CPU us an entity; one line a point
medians() {
  local x
  awk -v c="$1" '$1 == c { print $2 }' "$points" | sort -gu | while read -r x; do
    printf '%s %s %s\n' "$x" "$(median_of "$1" "$x" 3)" "$(median_of "$1" "$x" 4)"
  done
}
median_of() {
  awk -v c="$1" -v x="$2" -v f="$3" '$1 == c && $2 == x { print $f }' "$points" | sort -g |
    awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

printf '%-10s %10s %12s %16s\n' curve x entities/s 'CPU us/entity'
for curve in in_flight workers payload table; do
  medians "$curve" >"$scratch/$curve.dat"
  awk -v c="$curve" '{ printf "%-10s %10s %12.0f %16.1f\n", c, $1, $2, $3 }' "$scratch/$curve.dat"
done

for curve in in_flight workers payload table; do [[ -s $scratch/$curve.dat ]] || draws=no; done
if [[ $draws == yes ]]; then
  (cd "$scratch" && gnuplot -e "output='$root/docs/curves.svg'" "$here/curves.gnuplot")
  say "drawn: docs/curves.svg"
fi
