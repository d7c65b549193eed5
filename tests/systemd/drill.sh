#!/usr/bin/env bash
# A systemd of its own runs the installed unit as an operator would: credentials, a standby beside it, kill -9, a daemon
# that hangs, a configuration with a mistake, a crash loop, a clean stop. It boots in a container (systemd-nspawn) on a copy-on-write
# view of this machine that is thrown away, without a network. Needs root, else it ends with 77. `drill.sh [BUILD_FOLDER]`; half a minute.
set -euo pipefail

readonly kPatience=60        # seconds for anything that must come true
readonly kWatchdog=5         # WatchdogSec= of the drill
readonly kToken=canary-7e1d  # must be found nowhere
readonly kOut=/drill/out
readonly kEnd="systemd drill: passed"

# --- inside the container ----------------------------------------------------------------------------

# check NAME COMMAND…: must come true; what does not is the end.
check() {
  local name=$1 until=$((SECONDS + kPatience))
  shift
  while ! "$@" >/dev/null 2>&1; do
    if ((SECONDS >= until)); then
      printf 'FAILED  %s\n' "$name"
      exit 1
    fi
    sleep 0.1 # waits: between two looks
  done
  printf 'ok      %s\n' "$name"
}

value() { systemctl show "$1" --property "$2" --value; }
is() { [[ $(value "$1" "$2") == "$3" ]]; }
stands_by() { [[ $(value "$1" StatusText) == standby* ]]; }
sends() { is "$1" ActiveState active && ! stands_by "$1"; }
was_ended_by_watchdog() { journalctl --unit "$1" | grep 'Watchdog timeout'; }
was_given_up() { is "$1" ActiveState failed && journalctl --unit "$1" | grep 'Start request repeated too quickly'; }
is_paused_by() { [[ $(sqlite3 -readonly /var/lib/demandlink/jobs.db "SELECT paused_by FROM account") == "$1" ]]; }
is_done() { [[ $(sqlite3 -readonly /var/lib/demandlink/jobs.db "SELECT count(*) FROM job WHERE state <> 'succeeded'") == 0 ]]; }
is_in_no_file() {
  local pid
  ! grep --recursive --text "$kToken" /var/lib/demandlink || return 1
  for pid in $(pgrep --exact dl-daemon); do
    ! grep --text "$kToken" "/proc/$pid/cmdline" "/proc/$pid/environ" || return 1
  done
}
is_not_in_journal() { ! journalctl --no-pager | grep "$kToken"; }

load() { # CAMPAIGNS IDS: as one of the group, beside the daemons
  /drill/dl-make-sheet --campaigns "$1" --ad-groups 2 --ads 2 | sed "s/cmp_/$2/g" >/tmp/sheet.csv
  (umask 0007 && setpriv --reuid daemon --regid demandlink --clear-groups dl-ingest --db /var/lib/demandlink/jobs.db /tmp/sheet.csv)
}

# A DNS server that takes the question and never answers: longer than our patience.
silence_dns() {
  printf '[Socket]\nListenDatagram=127.0.0.9:53\n' >/etc/systemd/system/silent-dns.socket
  printf '[Service]\nExecStart=sleep infinity\n' >/etc/systemd/system/silent-dns.service
  printf 'nameserver 127.0.0.9\noptions timeout:30 attempts:5\n' >/etc/resolv.conf
  echo 'hosts: files dns' >/etc/nsswitch.conf
  systemctl daemon-reload
  systemctl start silent-dns.socket
}

inside() {
  local unit main
  systemd-sysusers && systemd-tmpfiles --create dl-daemon.conf
  cp /usr/local/lib/systemd/system/dl-daemon.service /etc/systemd/system/dl-standby.service
  echo "$kToken" >/etc/demandlink/credentials/dsp-token
  for unit in dl-daemon dl-standby; do
    mkdir -p "/etc/systemd/system/$unit.service.d"
    cp /usr/local/share/doc/*/examples/token.conf "/etc/systemd/system/$unit.service.d/"
    printf '[Service]\nWatchdogSec=%ss\nRestartSec=100ms\n' "$kWatchdog" >"/etc/systemd/system/$unit.service.d/drill.conf"
  done
  cat >/etc/demandlink/dl-daemon.env <<ENV
DL_ENDPOINT=http://127.0.0.1:8000
DL_DB=/var/lib/demandlink/jobs.db
DL_STANDBY=true
DL_RATE_LIMIT=none
DL_UNKNOWN_OUTCOME=resubmit
ENV
  systemctl daemon-reload
  /drill/dl-mock-dsp --listen 127.0.0.1:8000 --processing uniform:100ms:300ms --ledger /tmp/ledger --token "$kToken" &

  systemctl start dl-daemon
  check "the unit starts and is ready" sends dl-daemon
  systemctl start dl-standby
  check "a second one stands by" stands_by dl-standby
  load 2 first_
  check "an operator's sheet is created, with the token of the credential" is_done
  main=$(value dl-daemon MainPID)
  check "it is not root's" test "$(stat --format=%U "/proc/$main")" = demandlink
  check "its files are the group's and nobody else's" test -z "$(find /var/lib/demandlink -type f ! -perm 0660)"

  sleep $((kWatchdog * 2)) # waits: for two watchdogs, which must not bark
  check "the watchdog hears the sender" is dl-daemon NRestarts 0
  check "the watchdog hears the standby" is dl-standby NRestarts 0

  kill -KILL "$main"
  check "after kill -9 the standby sends" sends dl-standby
  check "and the dead one is back, standing by" stands_by dl-daemon
  load 2 second_
  check "a sheet is created by it" is_done

  main=$(value dl-standby MainPID)
  kill -STOP "$main"
  check "one that hangs is ended by the watchdog" was_ended_by_watchdog dl-standby
  check "and the other sends" sends dl-daemon
  load 2 third_
  check "a sheet is created by it" is_done

  check "the token is in no file, argument or environment" is_in_no_file
  check "nor in the journal" is_not_in_journal

  systemctl stop dl-standby dl-daemon
  check "a stop is clean" is dl-daemon Result success
  check "that of the other, too" is dl-standby Result success
  check "each entity was created once" /drill/dl-mock-dsp judge /tmp/ledger --expect 42

  silence_dns
  echo 'DL_ENDPOINT=https://dsp.example' >>/etc/demandlink/dl-daemon.env
  load 1 fourth_
  systemctl start dl-daemon
  check "another DSP is sent nothing before a person resumes" is_paused_by 'endpoint check'
  sqlite3 /var/lib/demandlink/jobs.db "INSERT INTO operator_act (act, who, why) VALUES ('resume', 'drill', 'it is none')"
  check "a DNS server that never answers is asked" is silent-dns.service ActiveState active
  systemctl stop --no-block dl-daemon
  check "and a stop does not wait for it" is dl-daemon ActiveState inactive
  check "and is clean" is dl-daemon Result success

  echo 'DL_RATE_LIMIT=many' >>/etc/demandlink/dl-daemon.env
  systemctl start dl-daemon 2>/dev/null || true
  check "a mistake in the configuration ends with 78" is dl-daemon ExecMainStatus 78
  check "and is not tried again" is dl-daemon ActiveState failed

  # A start that fails each time, by nothing that we say: there is no such program.
  sed -i '/many/d' /etc/demandlink/dl-daemon.env
  printf '[Service]\nExecStart=\nExecStart=/usr/bin/dl-nowhere\nRestartSec=0\n' >/etc/systemd/system/dl-daemon.service.d/loop.conf
  systemctl daemon-reload
  systemctl reset-failed dl-daemon
  systemctl start dl-daemon 2>/dev/null || true
  check "what fails at every start is given up" was_given_up dl-daemon
  check "after as many starts as the unit allows" is dl-daemon NRestarts 10
  echo "$kEnd"
}

if [[ ${1:-} == --inside ]]; then
  exec >"$kOut" 2>&1
  trap 'r=$?; ((r == 0)) || journalctl --unit dl-daemon --unit dl-standby --no-pager | tail -n 60' EXIT
  inside
  exit 0
fi

# --- outside -----------------------------------------------------------------------------------------

skip() { echo "systemd drill: skipped, $*"; exit 77; }

# boot BUILD SCRATCH: in a mount namespace of its own, which takes all mounts along when it ends.
boot() {
  local build=$1 scratch=$2 root=$2/root unit
  mount -t tmpfs tmpfs "$scratch" || skip "no tmpfs can be mounted"
  mkdir "$scratch"/{upper,work,root}
  mount -t overlay overlay -o "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" "$root" || skip "no overlay can be mounted"

  DESTDIR=$root cmake --install "$build" --prefix /usr/local >/dev/null
  mkdir "$root/drill"
  cp "$build"/bin/{dl-mock-dsp,dl-make-sheet} "${BASH_SOURCE[0]}" "$root/drill/"
  rm -f "$root/etc/demandlink/dl-daemon.env"
  systemd-id128 new >"$root/etc/machine-id" # none would be a first boot, which asks questions
  # Nothing here configures a network, so nobody may wait for one.
  for unit in systemd-networkd-wait-online networking; do ln -sf /dev/null "$root/etc/systemd/system/$unit.service"; done
  cat >"$root/etc/systemd/system/dl-drill.service" <<'UNIT'
[Unit]
After=dbus.service systemd-journald.service
Wants=dbus.service
[Service]
Type=oneshot
ExecStart=/bin/bash /drill/drill.sh --inside
ExecStopPost=/bin/systemctl --no-block poweroff
UNIT
  timeout --kill-after=30 240 systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$root" \
    --boot systemd.unit=dl-drill.service </dev/null >"$scratch/boot.log" 2>&1 || true

  if [[ -s $root$kOut ]]; then
    cat "$root$kOut"
    grep --quiet --line-regexp "$kEnd" "$root$kOut" && exit 0
    echo "systemd drill: FAILED"
    exit 1
  fi
  tail -n 20 "$scratch/boot.log"
  if grep --quiet 'Welcome to' "$scratch/boot.log"; then
    echo "systemd drill: FAILED: systemd came up and never began with it"
    exit 1
  fi
  skip "no systemd boots in a container here"
}

if [[ ${1:-} == --boot ]]; then
  boot "$2" "$3"
fi
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
((EUID == 0)) || skip "only root can boot a container"
command -v systemd-nspawn >/dev/null || skip "systemd-nspawn is not installed"
unshare --mount true || skip "no mount namespace can be made"
scratch=$(mktemp -d)
trap 'rmdir "$scratch" || true' EXIT
unshare --mount "${BASH_SOURCE[0]}" --boot "${1:-$source_dir/build}" "$scratch"
