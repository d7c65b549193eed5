#!/usr/bin/env bash
# The bill of materials of dl-daemon and dl-ingest as SPDX 2.3 JSON: every Debian package whose headers were compiled in
# or whose libraries are loaded, as the build itself knows it, with the version that is installed. `sbom.sh [BUILD_FOLDER]`
set -euo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${1:-$source_dir/build}
[[ -x $build/bin/dl-daemon && -f $build/.ninja_deps ]] || { echo "sbom: nothing is built in $build" >&2; exit 66; }
commit=$(git -C "$source_dir" describe --always --dirty --abbrev=40 2>/dev/null || echo "not from git")
version=$("$build/bin/dl-daemon" --version | sed -n '1s/.* //p')
created=$(date --utc --date="@${SOURCE_DATE_EPOCH:-$(git -C "$source_dir" log -1 --format=%ct 2>/dev/null || date +%s)}" +%FT%TZ)

headers() {
  ninja -C "$build" -t deps | awk '/^[^ ]/ {ours = /^(daemon|ingest|storage)\//} ours && $1 ~ "^/usr/" {print $1}' | sort --unique
}
libraries() { ldd "$build/bin/dl-daemon" "$build/bin/dl-ingest" | awk '$2 == "=>" {print $3}' | xargs readlink --canonicalize | sort --unique; }
# search: the packages of the files on stdin; those of none, on stderr, are its failure.
search() { LC_ALL=C xargs --no-run-if-empty dpkg-query --search; }
strangers() { sed -n 's/.*no path found matching pattern //p'; }

files=$(headers; libraries)
# Debian 12 has /lib as a link to /usr/lib, and some packages know only that.
elsewhere=$(search <<<"$files" 2>&1 >/dev/null | strangers | sed 's#^/usr##' || true)
unknown=$(search <<<"$elsewhere" 2>&1 >/dev/null | strangers || true)
[[ -z $unknown ]] || { echo "sbom: of no Debian package: ${unknown//$'\n'/ }" >&2; exit 65; }
names=$( (search <<<"$files"; search <<<"$elsewhere") 2>/dev/null | sed 's/: .*//; s/, /\n/g' | sort --unique || true)

cat <<JSON
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "demandlink-$version",
  "documentNamespace": "urn:demandlink:sbom:$version:$commit",
  "creationInfo": {"created": "$created", "creators": ["Tool: cmake/sbom.sh"]},
  "packages": [
    {"SPDXID": "SPDXRef-demandlink", "name": "demandlink", "versionInfo": "$version ($commit)", "downloadLocation": "NOASSERTION", "filesAnalyzed": false}
JSON
# shellcheck disable=SC2086  # a name a word
dpkg-query --show --showformat='${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n' $names |
  while IFS=$'\t' read -r name installed architecture source source_version; do
    printf '    ,{"SPDXID": "SPDXRef-%s", "name": "%s", "versionInfo": "%s", "downloadLocation": "NOASSERTION", "filesAnalyzed": false,\n' \
      "${name//+/-}" "$name" "$installed"
    printf '      "sourceInfo": "built from Debian source %s %s",\n' "$source" "$source_version"
    printf '      "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:deb/debian/%s@%s?arch=%s"}]}\n' \
      "${name//+/%2B}" "${installed//+/%2B}" "$architecture"
  done
echo '  ],'
echo '  "relationships": ['
echo '    {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-demandlink"}'
for name in $names; do
  name=${name%%:*}
  printf '    ,{"spdxElementId": "SPDXRef-demandlink", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-%s"}\n' "${name//+/-}"
done
echo '  ]'
echo '}'
