#!/usr/bin/env bash
# ./dev bench speed: throughput as ratios to neighbours that were measured in the same minutes, because
# absolute rates on a shared machine differ by a factor of two from one hour to the next.
#
#   speed.sh [--quick] [--runs N] [--only P1,P4] [--rows N] [--bin FOLDER]
#
# --quick: one run, and 200,000 rows for P4. --only: of P1,hold,P2,P3,P4,P5,P8,P9,limiter. P5 is P5 and P6, which need a
# table of 10,000,000 jobs: scale.sh makes it and is run once, where it is asked for. --bin: other programs than those of
# the release build, to compare.
#
# The DSP is nginx (../shared/tools/nginx-dsp, variant plain, or the small configuration beside this
# script). Durability stays as shipped: only P3's second half takes fsync away, by eatmydata.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/build-release/bin
runs=5
rows=1000000
only=P1,hold,P2,P3,P4,P8,P9,limiter

# shellcheck source=tests/bench/stage.sh
. "$here/stage.sh"

while (($# > 0)); do
  case $1 in
    --quick) runs=1 rows=200000 ;;
    --rows) rows=${2:?how many}; shift ;;
    --runs) runs=${2:?how many}; shift ;;
    --only) only=${2:?P1,P2,…}; shift ;;
    --bin) bin=$(cd "${2:?folder of the programs}" && pwd); shift ;;
    *) fail "what is $1? see the head of $0" ;;
  esac
  shift
done

# --- figures ---------------------------------------------------------------------------------------

note() { printf '%s\n' "$2" >>"$scratch/$1.values"; }  # note ROW VALUE

# summary ROW FORMAT: median (least to most) of n.
summary() {
  sort -g "$scratch/$1.values" | awk -v format="$2" '
    { v[NR] = $1 }
    END {
      m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
      printf format " (" format " to " format ", n=%d)", m, v[1], v[NR], NR
    }'
}

asks() { [[ ,$only, == *,$1,* ]]; }

wrk_rate() {
  wrk -t1 -c32 -d2s -s "$here/wrk_mixed.lua" "http://127.0.0.1:$port" | awk '/^Requests\/sec/ { print $2 }'
}

fresh_copy() {  # fresh_copy NAME: the graph, not yet sent
  rm -f "$scratch/$1"*
  cp "$scratch/graph.db" "$scratch/$1"
  sync "$scratch/$1"
}

# The first intent to the last answer, by the ledger: what was sent and recorded in between, per second.
entities_per_second() {
  sql "$1" "SELECT printf('%.1f', (SELECT count(*) FROM job WHERE state = 'succeeded') * 1000.0
                                  / max(1, max(finished_at) - min(sent_at))) FROM request"
}

# run_daemon NAME IN_FLIGHT LIMIT [PREFIX…]: sends the graph, prints entities a second. What it cost in CPU
# microseconds an entity goes to NAME.cpu. $outcome: --unknown-outcome, resubmit where it is not said.
run_daemon() {
  local db=$scratch/$1 in_flight=$2 limit=$3
  shift 3
  fresh_copy "${db##*/}"
  local TIMEFORMAT='%U %S'
  { time "$@" "$bin/dl-daemon" --db "$db" --endpoint "http://127.0.0.1:$port" --rate-limit "$limit" \
    --in-flight "$in_flight" --unknown-outcome "${outcome:-resubmit}" --drain >"$scratch/daemon.log" 2>&1 </dev/null; } \
    2>"$db.times" || fail "the daemon failed: $(tail -3 "$scratch/daemon.log")"
  [[ $(sql "$db" "SELECT count(*) FROM job WHERE state <> 'succeeded'") == 0 ]] || fail "not all succeeded"
  awk -v n="$(sql "$db" 'SELECT count(*) FROM job')" '{ printf "%.1f\n", ($1 + $2) * 1e6 / n }' "$db.times" >"$db.cpu"
  entities_per_second "$db"
}

# start_daemon NAME IN_FLIGHT UNKNOWN_OUTCOME: one that stays, in daemon_pid.
start_daemon() {
  "$bin/dl-daemon" --db "$scratch/$1" --endpoint "http://127.0.0.1:$port" --rate-limit none --in-flight "$2" \
    --unknown-outcome "$3" >"$scratch/daemon.log" 2>&1 </dev/null &
  daemon_pid=$!
}

stop_daemon() {
  kill -TERM "$daemon_pid"
  wait "$daemon_pid" || fail "the daemon ended with $?: $(tail -3 "$scratch/daemon.log")"
  daemon_pid=''
}

# await SQL DATABASE: until it gives 1, at most 60 s.
await() {
  for _ in {1..600}; do
    if [[ $(sql "$2" "$1") == 1 ]]; then return; fi
    sleep 0.1
  done
  fail "waited in vain for: $1"
}

# --- the rows --------------------------------------------------------------------------------------

# wrk before and after, so that a machine that gets busier meanwhile costs both.
measure_p1() {
  local before after rate
  before=$(wrk_rate)
  rate=$(run_daemon p1.db 128 none)
  after=$(wrk_rate)
  note P1.rate "$rate"
  note P1.cpu "$(cat "$scratch/p1.db.cpu")"
  note P1.wrk "$(awk -v a="$before" -v b="$after" 'BEGIN { print (a + b) / 2 }')"
  note P1 "$(awk -v r="$rate" -v a="$before" -v b="$after" 'BEGIN { print 2 * r / ((a + b) / 2) }')"
  note P1.bytes "$(awk -v b="$(stat -c %s "$scratch/p1.db")" -v n="$(sql "$scratch/p1.db" 'SELECT count(*) FROM job')" \
    'BEGIN { print b / n }')"
  say "P1: $rate entities/s; wrk $before before, $after after"
}

# Where a POST that was lost cannot be sent again: each on a connection of its own.
measure_hold() {
  local outcome=hold rate
  rate=$(run_daemon hold.db 128 none)
  note hold "$rate"
  note hold.cpu "$(cat "$scratch/hold.db.cpu")"
  say "hold: $rate entities/s with a fresh connection for each POST"
}

measure_p2() {
  local rate
  rate=$(run_daemon p2.db 3 none)
  note P2 "$rate"
  say "P2: $rate entities/s with 3 in flight"
}

# Without fsync is SQLite's synchronous=OFF; the program has no such switch, and gets none.
measure_p3() {
  local full off
  full=$(run_daemon p3.db 128 none)
  off=$(run_daemon p3.db 128 none eatmydata)
  note P3 "$(ratio "$full" "$off")"
  say "P3: $full entities/s with fsync, $off without"
}

# The limiter in the path. It waits for nothing else than its own sums at such a limit.
measure_limiter() {
  local none limited
  none=$(run_daemon limiter.db 128 none)
  note limiter.none "$(cat "$scratch/limiter.db.cpu")"
  limited=$(run_daemon limiter.db 128 1000000/60s)
  note limiter.cpu "$(ratio "$(cat "$scratch/limiter.db.cpu")" "$(tail -1 "$scratch/limiter.none.values")")"
  note limiter "$(ratio "$limited" "$none")"
  say "limiter: $limited entities/s at 1000000/60s, $none without a limit"
}

seconds_of() {
  local TIMEFORMAT=%R
  { time "$@" >"$scratch/out" 2>&1; } 2>&1 || fail "$1 failed: $(tail -3 "$scratch/out")"
}

flat_import() {
  rm -f "$scratch"/flat.db*
  sqlite3 "$scratch/flat.db" <<SQL
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
.mode csv
.import $1 flat
SQL
}

ingest() {
  rm -f "$scratch"/ingest.db*
  "$bin/dl-ingest" --db "$scratch/ingest.db" "$1"
}

measure_p4() {
  local order flat ours
  for order in ordered shuffled; do
    local sheet=$scratch/$order.csv
    [[ -e $sheet ]] || "$bin/dl-make-sheet" --campaigns "$((rows / 500))" --ad-groups 5 --ads 100 --order "$order" -o "$sheet"
    flat=$(seconds_of flat_import "$sheet")
    ours=$(seconds_of ingest "$sheet")
    note "P4.$order" "$(ratio "$flat" "$ours")"
    note "P4.$order.rate" "$(awk -v n="$rows" -v s="$ours" 'BEGIN { print n / s }')"
    say "P4: $rows rows $order: .import $flat s, dl-ingest $ours s"
  done
}

# Of all threads, in ns; the ticks of /proc/PID/stat are 0.2 % of a core in 5 s, and round every short wake-up to one or none.
cpu_ns() { cat "/proc/$1"/task/*/schedstat | awk '{ n += $1 } END { printf "%.0f", n }'; }

# An idle daemon; then one more campaign, by the DSP's own clock. batch.loaded_at is of before the commit.
measure_p8() {
  local name=bench_$RANDOM$RANDOM before after span=5 loaded arrived
  rm -f "$scratch"/p8.db*
  start_daemon p8.db 32 resubmit
  sleep 1
  before=$(cpu_ns "$daemon_pid")
  sleep "$span"
  after=$(cpu_ns "$daemon_pid")
  note P8.idle "$(awk -v ns="$((after - before))" -v s="$span" 'BEGIN { print 100 * ns / 1e9 / s }')"
  "$bin/dl-ingest" --db "$scratch/p8.db" --line '{"campaign_id":"'"$name"'","campaign_name":"n","campaign_budget":1,
    "start_date":"2026-01-01","end_date":"2026-02-01","objective":"reach","ad_groups":[]}' >"$scratch/out" 2>&1 ||
    fail "dl-ingest failed: $(cat "$scratch/out")"
  await "SELECT count(*) FROM job WHERE key = '$name' AND state = 'succeeded'" "$scratch/p8.db"
  sleep 0.5  # past the buffer of nginx's log
  loaded=$(sql "$scratch/p8.db" "SELECT max(loaded_at) FROM batch")
  arrived=$(awk -F '\t' '$3 == "POST" { at = $1 - $2 } END { printf "%.0f", at * 1000 }' "$scratch/nginx/access.log")
  note P8.first "$((arrived - loaded))"
  stop_daemon
  say "P8: the first byte $((arrived - loaded)) ms after the commit of the ingest began"
}

# One request at a time, and each POST on a connection of its own (hold), for which no permit is asked ahead: so a
# POST's life but for its flight is the commit of its intent, with the wait for the other writer. Judged by the
# ledger, over the time of the ingest.
measure_p9() {
  local began ended
  [[ -e $scratch/p9.csv ]] || "$bin/dl-make-sheet" --campaigns 400 --ad-groups 5 --ads 100 --seed 2 -o "$scratch/p9.csv"
  sed -e 's/^cmp_/other_/' "$scratch/p9.csv" >"$scratch/p9b.csv"
  fresh_copy p9.db
  start_daemon p9.db 1 hold
  await "SELECT count(*) > 100 FROM request" "$scratch/p9.db"
  began=$(now_ms)
  "$bin/dl-ingest" --db "$scratch/p9.db" "$scratch/p9b.csv" >"$scratch/out" 2>&1 || fail "dl-ingest: $(cat "$scratch/out")"
  ended=$(now_ms)
  sql "$scratch/p9.db" "
    SELECT finished_at - sent_at - latency_us / 1000.0 FROM request
    WHERE purpose = 'create' AND sent_at BETWEEN $began AND $ended AND finished_at IS NOT NULL" |
    sort -g >"$scratch/p9.took"
  stop_daemon
  note P9 "$(awk '{ v[NR] = $1 } END { print v[int((NR - 1) * 0.99) + 1] }' "$scratch/p9.took")"
  note P9.most "$(tail -1 "$scratch/p9.took")"
  say "P9: p99 $(tail -1 "$scratch/P9.values") ms, at most $(tail -1 "$scratch/P9.most.values") ms, of" \
    "$(wc -l <"$scratch/p9.took") POSTs while 200,000 rows were loaded in $((ended - began)) ms"
}

# --- all of it -------------------------------------------------------------------------------------

for program in dl-daemon dl-ingest dl-make-sheet; do
  [[ -x $bin/$program ]] || fail "$bin/$program is missing"
done
stage_begin "${TMPDIR:-/tmp}"
start_nginx
"$bin/dl-make-sheet" --campaigns 100 --ad-groups 5 --ads 100 -o "$scratch/graph.csv"
"$bin/dl-ingest" --db "$scratch/graph.db" "$scratch/graph.csv" >"$scratch/out" 2>&1 || fail "dl-ingest: $(cat "$scratch/out")"

for ((run = 1; run <= runs; ++run)); do
  say "run $run of $runs"
  if asks P1; then measure_p1; fi
  if asks hold; then measure_hold; fi
  if asks P2; then measure_p2; fi
  if asks P3; then measure_p3; fi
  if asks limiter; then measure_limiter; fi
  if asks P4; then measure_p4; fi
  if asks P8; then measure_p8; fi
  if asks P9; then measure_p9; fi
done

row() { printf '%-5s %-50s %-9s %s\n' "$@"; }
row '' "$(nproc) cores, $(date -u +%F), $(git -C "$root" describe --always --dirty 2>/dev/null || true)" goal 'median (range)'
if asks P1; then
  row P1 "requests/s over wrk's, 128 in flight, FULL" '>= 0.35' "$(summary P1 %.3f)"
  row '' '  entities/s' '' "$(summary P1.rate %.0f)"
  row '' '  wrk, requests/s, mixed, 32 connections' '' "$(summary P1.wrk %.0f)"
  row '' "  CPU of the daemon, us an entity" '' "$(summary P1.cpu %.0f)"
fi
if asks hold; then
  row '' 'entities/s, 128 in flight, --unknown-outcome hold' '' "$(summary hold %.0f)"
  row '' '  CPU of the daemon, us an entity' '' "$(summary hold.cpu %.0f)"
fi
if asks P2; then row P2 'entities/s, 3 in flight' '>= 5000' "$(summary P2 %.0f)"; fi
if asks P3; then row P3 'FULL over no fsync, 128 in flight' '>= 0.9' "$(summary P3 %.2f)"; fi
if asks limiter; then
  row '' 'entities/s at 1000000/60s over none' '>= 0.9' "$(summary limiter %.2f)"
  row '' '  CPU an entity, the same ratio' '<= 1.1' "$(summary limiter.cpu %.2f)"
fi
if asks P4; then
  row P4 ".import over dl-ingest, $rows rows, ordered" '>= 0.9' "$(summary P4.ordered %.2f)"
  row '' '  rows/s' '' "$(summary P4.ordered.rate %.0f)"
  row '' '  shuffled' '>= 0.4' "$(summary P4.shuffled %.2f)"
fi
if asks P5; then "$here/scale.sh" --bin "$bin" >&2; fi
row P5-6 'leases and memory at 10,000,000 jobs' '' "$(asks P5 && echo above || echo './dev bench scale')"
if asks P1; then row P7 'bytes a job after the run of P1' '<= 500' "$(summary P1.bytes %.0f)"; fi
if asks P8; then
  row P8 'idle CPU, % of a core' '< 0.5' "$(summary P8.idle %.2f)"
  row '' '  commit of an ingest to the first byte, ms' '< 60' "$(summary P8.first %.0f)"
fi
if asks P9; then
  row P9 "daemon's commit p99 beside an ingest, ms" '< 10' "$(summary P9 %.1f)"
  row '' '  at most' '' "$(summary P9.most %.1f)"
fi
