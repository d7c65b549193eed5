#!/usr/bin/env bash
# The unit and its companions, checked offline on a staged root: systemd-analyze has nothing to say about them,
# the exposure stays low, and the users and folders come out as promised. No systemd needs to run.
# Ends with 77 where something could not be checked.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly kHighestExposure=1.1

if ! command -v systemd-analyze >/dev/null; then
  echo "systemd: the unit: skipped, systemd-analyze is not installed (./dev deps)"
  exit 77
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
failed=0
skipped=0
refuse() { printf 'systemd: FAILED: %s\n' "$*"; failed=1; }

# The staged root: the daemon (any executable will do), our files, and the units that ours refers to.
mkdir -p "$root"/usr/{bin,lib/{systemd/system,sysusers.d,tmpfiles.d}} "$root"/{etc,var/lib,run}
install -m 0755 /bin/true "$root/usr/bin/dl-daemon"
cp "$source_dir/systemd/dl-daemon.service" "$root/usr/lib/systemd/system/"
cp "$source_dir/systemd/dl-daemon.sysusers.conf" "$root/usr/lib/sysusers.d/dl-daemon.conf"
cp "$source_dir/systemd/dl-daemon.tmpfiles.conf" "$root/usr/lib/tmpfiles.d/dl-daemon.conf"
system_units=/usr/lib/systemd/system
[[ -d $system_units ]] || system_units=/lib/systemd/system
cp -a "$system_units"/*.{target,slice,mount} "$root/usr/lib/systemd/system/" 2>/dev/null || true

# check_unit NAME: verify says nothing (its exit status alone overlooks ignored directives), low exposure.
check_unit() {
  local said exposure
  said=$(systemd-analyze verify --root="$root" --man=no dl-daemon.service 2>&1) || true
  if [[ -n $said ]]; then
    refuse "verify ($1): $said"
    return
  fi
  exposure=$(systemd-analyze security --root="$root" --offline=true --no-pager dl-daemon.service 2>&1 |
    sed -n 's/.*Overall exposure level for dl-daemon.service: \([0-9.]*\).*/\1/p')
  if [[ -z $exposure ]]; then
    refuse "security ($1): no exposure level"
  elif awk "BEGIN { exit !($exposure > $kHighestExposure) }"; then
    refuse "security ($1): exposure $exposure, at most $kHighestExposure is allowed"
  else
    printf 'systemd: %s: verified, exposure %s\n' "$1" "$exposure"
  fi
}

check_unit "dl-daemon.service"
mkdir "$root/usr/lib/systemd/system/dl-daemon.service.d"
cp "$source_dir/systemd/token.conf" "$root/usr/lib/systemd/system/dl-daemon.service.d/"
check_unit "with token.conf"

# expect PATH MODE USER: as systemd-tmpfiles made it, with the staged root's own users.
expect() {
  local found user_id
  user_id=$(awk -F: -v name="$3" '$1 == name { print $3 }' "$root/etc/passwd")
  found=$(stat --format='%a %u %g' "$root$1" 2>&1) || true
  [[ $found == "$2 $user_id $user_id" ]] || refuse "$1 is \"$found\", not \"$2 $user_id $user_id\""
}

if ((EUID == 0)); then
  said=$(systemd-sysusers --root="$root" dl-daemon.conf 2>&1) || refuse "sysusers: $said"
  grep -q '^demandlink:' "$root/etc/passwd" || refuse "sysusers made no user demandlink"
  grep -q '^root:' "$root/etc/passwd" || echo 'root:x:0:0::/root:/bin/sh' >>"$root/etc/passwd"
  said=$(systemd-tmpfiles --root="$root" --create dl-daemon.conf 2>&1) || refuse "tmpfiles: $said"
  expect /var/lib/demandlink 2770 demandlink
  expect /etc/demandlink 755 root
  expect /etc/demandlink/credentials 700 root
else
  echo "systemd: users and folders: skipped, only root can make them"
  skipped=77
fi

((failed == 0)) || exit 1
exit "$skipped"
