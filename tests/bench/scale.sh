#!/usr/bin/env bash
# ./dev bench scale: what depends on the size of the table, and what must not. Prints P5, P6, P7 and R5, the
# views' times and the size of the log as a table (docs/PERFORMANCE.md, section Scale).
#
#   scale.sh [--jobs N] [--small N] [--db FILE] [--views N] [--rows N] [--shuffled N] [--bin FOLDER] [--scratch FOLDER]
#
#   --jobs N    of the large table (10000000, about 12 GB and 5 minutes to make)
#   --small N   of the table that it is compared with (1000)
#   --db FILE   a large table that is there already, by dl-make-table; it is changed
#   --views N   of the table that the views are timed on (1000000)
#   --rows N    of the sheet that is loaded beside daemon and reader (1000000)
#   --shuffled N  of the sheet in no order whose loading must not take more memory the longer it is (as --jobs)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/build/bin
jobs=10000000 small=1000 views=1000000 rows=1000000 shuffled='' large='' scratch_in=${TMPDIR:-/tmp}

while (($# > 0)); do
  case $1 in
    --jobs) jobs=${2:?}; shift ;;
    --small) small=${2:?}; shift ;;
    --db) large=${2:?}; shift ;;
    --views) views=${2:?}; shift ;;
    --rows) rows=${2:?}; shift ;;
    --shuffled) shuffled=${2:?}; shift ;;
    --bin) bin=$(cd "${2:?}" && pwd); shift ;;
    --scratch) scratch_in=${2:?}; shift ;;
    *) sed -n '2,/^set /{/^#/p}' "$0" >&2; exit 64 ;;
  esac
  shift
done

shuffled=${shuffled:-$jobs}

# shellcheck source=tests/bench/stage.sh
. "$here/stage.sh"
stage_begin "$scratch_in"

row() { printf '%-58s %-12s %s\n' "$1" "$2" "$3"; }

# of KEY FILE: a figure of dl-measure-store
of() { awk -v key="$1" '$1 == key { print $2 }' "$2"; }

# start_daemon DB [FLAG…]: in the background, with $in_flight requests at once; sets daemon_pid.
in_flight=128
start_daemon() {
  local db=$1
  shift
  : >"$scratch/daemon.log"  # now: what the one before said is nobody's start
  "$bin/dl-daemon" --db "$db" --endpoint "http://127.0.0.1:$port" --rate-limit none --in-flight "$in_flight" \
    --unknown-outcome resubmit "$@" >"$scratch/daemon.log" 2>&1 </dev/null &
  daemon_pid=$!
}

# first_request_ms: from now to the first line about a request in the daemon's log; at most a minute
first_request_ms() {
  local begin
  begin=$(now_ms)
  while ! grep -q -m1 ' request job=' "$scratch/daemon.log"; do
    kill -0 "$daemon_pid" 2>/dev/null || fail "the daemon ended: $(tail -3 "$scratch/daemon.log")"
    (($(now_ms) - begin < 60000)) || fail "the daemon sends nothing: $(tail -3 "$scratch/daemon.log")"
    sleep 0.01
  done
  echo $(($(now_ms) - begin))
}

stop_daemon() {
  kill -"$1" "$daemon_pid" 2>/dev/null || true
  wait "$daemon_pid" 2>/dev/null || true
  daemon_pid=''
}

peak_kib() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status"; }

# --- the tables ------------------------------------------------------------------------------------

say "making the tables: $small and $jobs jobs"
"$bin/dl-make-table" --db "$scratch/small.db" --jobs "$small" --live "$small"
if [[ -z $large ]]; then
  large=$scratch/large.db
  "$bin/dl-make-table" --db "$large" --jobs "$jobs"
fi
jobs=$(sql "$large" "SELECT sum(n) FROM job_count")
start_nginx

row "what" "goal" "seen"

# --- P5: the store's questions --------------------------------------------------------------------

copies=()
for ((i = 1; i <= 30; ++i)); do
  cp "$scratch/small.db" "$scratch/copy$i.db"
  copies+=("$scratch/copy$i.db")
done
sync "$large" "${copies[@]}"  # or what is still being written costs one side more
"$bin/dl-measure-store" "${copies[@]}" >"$scratch/small.txt"
rm -f "$scratch"/copy*.db*
"$bin/dl-measure-store" "$large" >"$scratch/large.txt"
for key in lease32_us return32_us promote10_us load_us take_over_us; do
  goal='' a=$(of $key "$scratch/small.txt") b=$(of $key "$scratch/large.txt")
  [[ $key == lease32_us ]] && goal='P5 <= 1.3'
  row "$key at $jobs over $small jobs" "$goal" "$(ratio "$b" "$a" | cut -c1-4) ($b over $a us)"
done

# --- R5, P6: the daemon on the large table --------------------------------------------------------

# starts_after_kill DB: sets starts to the median and the 99th of a hundred starts, each of them after a kill -9 at the
# first answer of the one before. One request at a time, or there would soon be nothing left to send.
starts_after_kill() {
  local i in_flight=1
  rm -f "$scratch/starts"
  for ((i = 0; i <= 100; ++i)); do
    start_daemon "$1" --log-level info
    first_request_ms >>"$scratch/starts"
    stop_daemon KILL
  done
  starts=$(sed 1d "$scratch/starts" | sort -n | awk '{ ms[NR] = $1 } END { print ms[50] " ms; " ms[99] " ms" }')
}

"$bin/dl-make-table" --db "$scratch/hundred.db" --jobs 100000
starts_after_kill "$scratch/hundred.db"
row "start to the first answer at 100000 jobs, median; p99 of 100" 'R5 < 2 s' "$starts"
rm -f "$scratch/hundred.db"*
starts_after_kill "$large"
row "the same at $jobs jobs" 'R5 < 5 s' "$starts"
start_daemon "$large" --log-level info
first_request_ms >/dev/null
sleep 8
row "daemon's peak memory after 8 s of work at $jobs jobs" 'P6 <= 64 MiB' "$(($(peak_kib "$daemon_pid") / 1024)) MiB"
stop_daemon TERM

# --- views ----------------------------------------------------------------------------------------

# view_times DB: each view read to its end, the best of two
view_times() {
  local view best begin took
  for view in $(sql "$1" "SELECT name FROM sqlite_schema WHERE type = 'view' AND name LIKE 'v\_%' ESCAPE '\' ORDER BY name"); do
    best=''
    for _ in 1 2; do
      begin=$(now_ms)
      sqlite3 -readonly "$1" "SELECT * FROM $view" >/dev/null
      took=$(($(now_ms) - begin))
      if [[ -z $best ]] || ((took < best)); then best=$took; fi
      ((took < 2000)) || break
    done
    row "SELECT * FROM $view at $2 jobs" '100 ms, or says it scans' "$best ms"
  done
  best=''
  for _ in 1 2 3; do
    begin=$(now_ms)
    "$bin/dl-ingest" --db "$1" status >/dev/null 2>&1 || true
    took=$(($(now_ms) - begin))
    if [[ -z $best ]] || ((took < best)); then best=$took; fi
  done
  row "dl-ingest status at $2 jobs" '100 ms' "$best ms"
}

"$bin/dl-make-table" --db "$scratch/views.db" --jobs "$views"
view_times "$scratch/views.db" "$views"
rm -f "$scratch/views.db"*

# --- WAL and memory while a sheet is loaded beside daemon and reader -----------------------------

note_ingest_peak() {
  local now_kib
  now_kib=$(peak_kib "$ingest_pid" 2>/dev/null || true)  # nothing of one that has just ended
  ingest_kib=${now_kib:-$ingest_kib}
}

load_ended() { wait "$ingest_pid" || fail "dl-ingest ended with $?"; }

"$bin/dl-make-sheet" --campaigns $((rows / 100)) --ad-groups 10 --ads 10 -o "$scratch/sheet.csv"
start_daemon "$scratch/small.db" --log-level error
"$bin/dl-ingest" --db "$scratch/small.db" "$scratch/sheet.csv" >/dev/null 2>&1 &
ingest_pid=$!
longest=0 ingest_kib=0
while kill -0 "$ingest_pid" 2>/dev/null; do
  sqlite3 -readonly "$scratch/small.db" "SELECT count(*) FROM (SELECT * FROM v_progress)" >/dev/null 2>&1 || true
  size=$(stat -c %s "$scratch/small.db-wal" 2>/dev/null || echo 0)
  if ((size > longest)); then longest=$size; fi
  note_ingest_peak
  sleep 0.05
done
load_ended
row "longest -wal while $rows rows were loaded beside daemon, reader" '< 10 MB' "$((longest / 1000)) kB"
row "dl-ingest's peak memory, $rows rows" 'P6 <= 256 MiB' "$((ingest_kib / 1024)) MiB"
sleep 5
row "daemon's peak memory meanwhile" 'P6 <= 64 MiB' "$(($(peak_kib "$daemon_pid") / 1024)) MiB"
stop_daemon TERM

# --- memory of a load in no order -------------------------------------------------------------------

rm -f "$scratch/large.db"* "$scratch/small.db"* "$scratch/sheet.csv"
"$bin/dl-make-sheet" --campaigns $(((shuffled + 99) / 100)) --ad-groups 10 --ads 10 --order shuffled \
  -o "$scratch/shuffled.csv"
"$bin/dl-ingest" --db "$scratch/shuffled.db" "$scratch/shuffled.csv" >/dev/null 2>&1 &
ingest_pid=$!
ingest_kib=0
while kill -0 "$ingest_pid" 2>/dev/null; do
  note_ingest_peak
  sleep 0.05
done
load_ended
row "dl-ingest's peak memory, $shuffled rows in no order" 'P6 <= 256 MiB' "$((ingest_kib / 1024)) MiB"
rm -f "$scratch/shuffled"*

# --- P7: bytes a job ------------------------------------------------------------------------------

"$bin/dl-make-sheet" --campaigns 20 --ad-groups 10 --ads 100 -o "$scratch/p7.csv"
"$bin/dl-ingest" --db "$scratch/p7.db" "$scratch/p7.csv" >/dev/null 2>&1
count=$(sql "$scratch/p7.db" "SELECT sum(n) FROM job_count")
loaded=$(stat -c %s "$scratch/p7.db")
start_daemon "$scratch/p7.db" --drain --log-level error
wait "$daemon_pid" || fail "the daemon ended with $?"
daemon_pid=''
row "bytes a job on disk: loaded; after a run" 'P7 <= 500' "$((loaded / count)); $(($(stat -c %s "$scratch/p7.db") / count))"
