#!/usr/bin/env bash
# ./dev bench limits: the real daemon in scaled time, judged by what the server took down.
#
#   limits.sh BIN [--quick] [--scale K] [--only WORDS] [--keep FOLDER]
#
#   BIN      the folder with dl-daemon, dl-ingest, dl-mock-dsp, dl-make-sheet and dl-policy-sim
#   --quick  a small graph, two distributions and short scenarios: about two minutes
#   --scale  how many times as fast both clocks run (60); W must be at least 500 round trips, so
#            fewer on a busy machine
#   --only   runs whose names match this regular expression
#   --keep   leave the ledgers there
#
# The database is in memory (/dev/shm): at 40 requests a minute no disk is slow, but K times as
# many would find it so.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "${1:?the folder of the programs}" && pwd)
shift
scale=60 shape=std sheet=(100 5 10) windows=40 minis=48 only='.' keep='' quick='' server=mock
while (($# > 0)); do
  case $1 in
    --quick) quick=yes shape=20x5x10 sheet=(20 5 10) windows=12 minis=32 ;;
    --scale) scale=$2; shift ;;
    --only) only=$2; shift ;;
    --keep) keep=$2; shift ;;
    *) echo "limits.sh: no such flag: $1" >&2; exit 64 ;;
  esac
  shift
done
readonly kLimit=40/60s
readonly kSlowScale=20  # of nginx, and of the nine entities
nginx_dsp=${DL_NGINX_DSP:-$here/../../../shared/tools/nginx-dsp}/dsp.sh
faketime=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -n 1)
runs=$(mktemp -d /dev/shm/dl-limits.XXXXXX)
if [[ -n $keep ]]; then mkdir -p "$keep"; fi
trap 'for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$runs"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

# --- one run, in a subshell of its own: its folder is $run, its processes end with it --------------

# span WINDOWS: so many windows of 60 s, in seconds of the machine.
span() { awk -v n="$1" -v k="$scale" 'BEGIN { printf "%.3f", n * 60 / k }'; }

fact() { printf '%s %s\n' "$1" "$2" >>"$run/facts"; }

end_run() {
  local pid
  [[ -z ${nginx_port:-} ]] || PORT=$nginx_port "$nginx_dsp" stop "$run/nginx"
  for pid in $(jobs -p); do kill -CONT "$pid" 2>/dev/null || true; kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null
}

# begin NAME KIND WORDS
begin() {
  run=$runs/$1
  mkdir "$run"
  trap end_run EXIT
  trap 'exit 143' TERM
  fact kind "$2"
  fact what "$3"
}

# mock FLAG…: starts the DSP; its address goes to $endpoint.
mock() {
  "$bin/dl-mock-dsp" --listen 127.0.0.1:0 --port-file "$run/port" --ledger "$run/ledger" \
    --time-scale "$scale" "$@" </dev/null >"$run/mock.log" 2>&1 &
  mock_pid=$!
  for _ in {1..200}; do
    if [[ -s $run/port ]]; then
      endpoint=http://127.0.0.1:$(cat "$run/port")
      return
    fi
    sleep 0.05
  done
  say "the mock DSP did not start: $(cat "$run/mock.log")"
  return 1
}

# nginx RATE BURST: starts the neutral server instead, with a bucket of BURST + 1 that fills at RATE a
# minute; its access log is the ledger. Its clock has milliseconds, so time runs slower.
nginx() {
  mock --limit none  # only to find a free port
  kill -TERM "$mock_pid"
  wait "$mock_pid" || true
  mock_pid='' nginx_port=${endpoint##*:}
  rm -f "$run/ledger"
  fact time_scale "$scale"
  PORT=$nginx_port RATE=$(($1 * scale))r/m BURST=$2 "$nginx_dsp" start "$run/nginx" limited
}

# on_nginx FUNCTION ARGUMENT…
on_nginx() {
  server=nginx
  scale=$kSlowScale
  windows=$((windows / 2))
  "$@"
}

# load CAMPAIGNS GROUPS ADS
load() {
  "$bin/dl-make-sheet" --campaigns "$1" --ad-groups "$2" --ads "$3" -o "$run/sheet.csv"
  "$bin/dl-ingest" --db "$run/jobs.db" "$run/sheet.csv" >/dev/null 2>&1
}

# daemon FLAG…: starts one in the background; its pid goes to $daemon_pid. A second of a busy machine
# is a minute of its clock, so its patience with answers is longer than by default.
daemon() {
  DL_TIME_SCALE=$scale "$bin/dl-daemon" --db "$run/jobs.db" --endpoint "$endpoint" \
    --rate-limit "$kLimit" --unknown-outcome resubmit --http-timeout 600s --log-level warning "$@" \
    </dev/null >>"$run/daemon.log" 2>&1 &
  daemon_pid=$!
}

# Reads what is needed of the database and the ledger, then drops the database.
finish() {
  if [[ -n ${nginx_port:-} ]]; then
    PORT=$nginx_port "$nginx_dsp" stop "$run/nginx"
    nginx_port=''
    mv "$run/nginx/access.log" "$run/access.log"
  else
    kill -TERM "$mock_pid"
    wait "$mock_pid" || true
  fi
  fact round_trip_ms "$(sqlite3 "$run/jobs.db" \
    "SELECT avg(finished_boot_ms - sent_boot_ms) FROM request WHERE finished_boot_ms IS NOT NULL")"
  fact unfinished "$(sqlite3 "$run/jobs.db" "SELECT count(*) FROM job WHERE state <> 'succeeded'")"
  if [[ -s $run/ledger ]]; then
    fact broken "$("$bin/dl-mock-dsp" judge "$run/ledger" 2>/dev/null |
      awk '/^(duplicates|child_before)/ { n += $2 } END { print n + 0 }')"
  fi
  rm -f "$run"/jobs.db* "$run/sheet.csv"
  say "${run##*/}: $(cat "$run/ledger" "$run/access.log" 2>/dev/null | wc -l) lines in the ledger"
}

# --- the schedule ----------------------------------------------------------------------------------

# schedule DISTRIBUTION PROCESSING [USE_GOAL]
schedule() {
  begin "schedule-$1" schedule "$shape, $1"
  fact shape "$shape"
  fact processing "$1"
  [[ -z ${3:-} ]] || fact use_goal "$3"
  mock --processing "$2" --limit "$kLimit"
  load "${sheet[@]}"
  daemon --drain
  wait "$daemon_pid" || say "$1: the daemon ended with $?"
  finish
}

# The job of nine entities, one after the other, each from an empty limiter.
nine_entities() {
  local n
  scale=$kSlowScale
  for n in $(seq -w 1 "$minis"); do
    begin "mini-$n" mini "nine entities"
    fact shape mini
    mock --processing uniform:2s:5s --limit "$kLimit" --seed "$((10#$n))"
    load 1 2 3
    daemon --drain
    wait "$daemon_pid" || say "mini: the daemon ended with $?"
    finish
  done
}

# --- the limit under trouble: there is always work, and what is judged is the ledger ----------------

# trouble NAME USE_GOAL WORDS FLAG_OF_MOCK…
trouble() {
  local name=$1 goal=$2 words=$3
  shift 3
  if [[ $server == nginx ]]; then words="nginx, $words"; fi
  begin "$server-$name" trouble "$words"
  fact shape std
  [[ -z $goal ]] || fact use_goal "$goal"
  if [[ $server == nginx ]]; then nginx 41 39; else mock --processing uniform:2s:5s "$@"; fi
  load 100 5 10
}

calm() {
  trouble calm 0.99 "nothing special"
  daemon
  sleep "$(span "$windows")"
  finish
}

delays() {
  trouble delays "" "delays up to 8 s" --faults slow:0.02:2s,slow:0.02:4s,slow:0.02:8s
  daemon
  sleep "$(span "$windows")"
  finish
}

lost_answers() {
  trouble lost 0.95 "2 % of answers lost" --faults lost_answer:0.02
  daemon
  sleep "$(span "$windows")"
  finish
}

# kills NAME WORDS FLAG_OF_MOCK…: a kill every two windows, at no particular moment of them.
kills() {
  local name=$1 words=$2
  shift 2
  trouble "$name" 0.95 "$words" "$@"
  for ((n = 0; n < windows; n += 2)); do
    daemon
    sleep "$(span "2.0$((RANDOM % 10))$((RANDOM % 10))")"
    kill -KILL "$daemon_pid"
    wait "$daemon_pid" 2>/dev/null || true
  done
  finish
}

standby() {
  local second
  trouble standby 0.95 "kill -9 every 3 windows, a standby takes over"
  daemon
  # Else the standby may win the lock, and the first ends as it should: with 75.
  until [[ $(sqlite3 -readonly "$run/jobs.db" 'SELECT count(*) FROM instance' 2>/dev/null) -gt 0 ]]; do sleep 0.05; done
  for ((n = 0; n < windows; n += 3)); do
    second=$daemon_pid
    daemon --standby
    sleep "$(span "3.$((RANDOM % 10))")"
    kill -KILL "$second"
    wait "$second" 2>/dev/null || true
  done
  sleep "$(span 2)"
  finish
}

stopped() {
  trouble stopped "" "SIGSTOP for 3 windows, again and again" --faults slow:0.2:3s
  daemon
  for ((n = 0; n < windows; n += 5)); do
    sleep "$(span "2.$((RANDOM % 10))")"
    kill -STOP "$daemon_pid"
    sleep "$(span 3)"
    kill -CONT "$daemon_pid"
  done
  sleep "$(span 2)"
  finish
}

# The wall clock of the daemon alone is stepped, by an hour of its own time; the boot clock is left.
clock_steps() {
  local hour offset seen
  if [[ -z $faketime ]]; then
    say "libfaketime is not installed: the clock's steps are left out"
    return
  fi
  trouble clock 0.99 "wall clock stepped by an hour, both ways"
  hour=$(awk -v k="$scale" 'BEGIN { printf "%.3f", 3600 / k }')
  printf '+0\n' >"$run/offset"
  LD_PRELOAD=$faketime FAKETIME_TIMESTAMP_FILE=$run/offset FAKETIME_NO_CACHE=1 \
    FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 daemon
  for ((n = 0; n < windows; n += 2)); do
    for offset in "+$hour" "-$hour"; do
      printf '%s\n' "$offset" >"$run/offset.new"
      mv "$run/offset.new" "$run/offset"
      sleep "$(span "1.$((RANDOM % 10))")"
    done
  done
  seen=$(sqlite3 "$run/jobs.db" "SELECT count(*) FROM
    (SELECT sent_at - lag(sent_at) OVER (ORDER BY id) AS step FROM request)
    WHERE abs(step) > 3000000")
  ((seen >= windows / 2)) || fact unproven 1  # what was to be survived did not happen
  say "clock: $seen steps of an hour and more in the daemon's ledger"
  kill -TERM "$daemon_pid"
  wait "$daemon_pid" || true
  rm -f "/dev/shm/faketime_shm_$daemon_pid" "/dev/shm/sem.faketime_sem_$daemon_pid"
  finish
}

# All of them at once.
everything() {
  kills all "kills, lost answers and delays" --faults lost_answer:0.02,slow:0.02:4s,slow:0.01:8s
}

# The server allows 30: two hours of work at that rate. Below its limit the daemon sends without
# any burst, so a millisecond that a timer is late is lost; hence slower than the rest.
lower_limit() {
  if [[ -n $quick ]]; then scale=60; else scale=25; fi
  begin "$server-lower" refused "$server set to 30/60s"
  fact shape "${1}x5x10"
  if [[ $server == nginx ]]; then
    nginx 30 29
  else
    mock --processing uniform:2s:5s --limit 30/60s
  fi
  load "$1" 5 10
  daemon --drain
  wait "$daemon_pid" || say "the daemon ended with $?"
  finish
}

# --- all of it --------------------------------------------------------------------------------------

# go NAME FUNCTION ARGUMENT…: beside the others.
go() {
  local name=$1
  shift
  [[ $name =~ $only ]] || return 0
  ("$@") &
}

if [[ ! -x $nginx_dsp ]]; then say "there is no $nginx_dsp: nginx is left out"; fi
# go_nginx NAME FUNCTION ARGUMENT…
go_nginx() {
  local name=$1
  shift
  [[ ! -x $nginx_dsp ]] || go "$name" on_nginx "$@"
}

go mock-lower lower_limit 33
go_nginx nginx-lower lower_limit 33
go schedule-fixed3 schedule fixed3 fixed:3s 0.99
go schedule-unif schedule unif uniform:2s:5s
if [[ -z $quick ]]; then
  go schedule-logn schedule logn lognormal:4s:1
  go schedule-bimodal schedule bimodal bimodal
  go schedule-slow schedule slow slow
fi
wait
go mini nine_entities
go mock-kills kills kills "kill -9 every two windows"
go mock-standby standby
go mock-clock clock_steps
wait
go mock-delays delays
go mock-lost lost_answers
go mock-all everything
go mock-stopped stopped
wait
go_nginx nginx-calm calm
go_nginx nginx-kills kills kills "kill -9 every two windows"
go_nginx nginx-standby standby
go_nginx nginx-stopped stopped
go_nginx nginx-clock clock_steps
wait
if [[ -n $keep ]]; then cp -r "$runs/." "$keep/"; fi
"$bin/dl-policy-sim" report "$runs"
