# Sourced by the benchmarks beside it, which set $here, $root and $bin: a scratch folder and an nginx as the DSP,
# both gone at the end.
# shellcheck shell=bash disable=SC2154

fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
say() { printf '%s\n' "$*" >&2; }
sql() { sqlite3 -readonly "$1" "$2"; }
now_ms() { date +%s%3N; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", a / b }'; }

scratch='' nginx_pid='' daemon_pid='' port=0

stage_begin() {  # stage_begin FOLDER: where the scratch folder is made
  scratch=$(mktemp -d -p "$1")
  trap stage_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

stage_end() {
  local pid
  for pid in $daemon_pid $nginx_pid; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$scratch"
}

# A port that nobody listens on: nginx cannot be asked for any free one, so starting is tried again.
start_nginx() {
  local shared=$root/../shared/tools/nginx-dsp folder=$scratch/nginx nginx try
  nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || fail "nginx is missing"
  mkdir -p "$folder/tmp"
  if [[ -r $shared/plain.conf.in ]]; then
    say "DSP: nginx as ../shared/tools/nginx-dsp configures it, variant plain"
  else
    say "DSP: nginx as tests/bench/nginx.conf.in configures it (../shared/tools/nginx-dsp is not here)"
  fi
  for try in {1..20}; do
    port=$((20000 + RANDOM % 12000))
    if [[ -r $shared/plain.conf.in ]]; then
      render_shared "$shared" >"$folder/nginx.conf"
    else
      sed "s/@PORT@/$port/" "$here/nginx.conf.in" >"$folder/nginx.conf"
    fi
    "$nginx" -p "$folder/" -c nginx.conf -e error.log </dev/null >"$folder/out" 2>&1 &
    nginx_pid=$!
    for _ in {1..100}; do
      kill -0 "$nginx_pid" 2>/dev/null || break
      if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && [[ -s $folder/nginx.pid ]]; then return; fi
      sleep 0.05
    done
    say "port $port would not do (try $try)"
  done
  fail "nginx did not start: $(cat "$folder/error.log" "$folder/out")"
}

# ../shared/tools/nginx-dsp, variant plain, as its own script renders it; but our child, so that it ends with us.
render_shared() {
  local text
  text=$(cat "$1/common.conf.in" "$1/plain.conf.in")
  text=${text//@HTTP@/"$(cat "$1/http.conf.in")"}
  text=${text//@PORT@/"$port"}
  text=${text//@WORKERS@/1}
  text=${text//@KEEPALIVE_REQUESTS@/1000}
  printf '%s\n' "$text" | sed 's/@[A-Z_]*@//g'
}
