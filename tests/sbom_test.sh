#!/usr/bin/env bash
# The bill of materials is JSON and names what we know to be in there: `sbom_test.sh BUILD_FOLDER`
set -euo pipefail
bill=$(mktemp)
trap 'rm -f "$bill"' EXIT
"$(dirname "${BASH_SOURCE[0]}")/../cmake/sbom.sh" "$1" >"$bill"
missing=$(sqlite3 :memory: "
  WITH bill AS (SELECT CAST(readfile('$bill') AS TEXT) AS text),
    package AS (SELECT value ->> 'name' AS name, value ->> 'versionInfo' AS version FROM bill, json_each(text, '\$.packages')),
    linked AS (SELECT value ->> 'relatedSpdxElement' AS id FROM bill, json_each(text, '\$.relationships')),
    expected (name) AS (VALUES ('demandlink'), ('libboost1.81-dev'), ('rapidjson-dev'), ('libsqlite3-0'), ('libssl3'), ('libc6'))
  SELECT name FROM expected
  WHERE name NOT IN (SELECT name FROM package WHERE version <> '') OR 'SPDXRef-' || name NOT IN (SELECT id FROM linked)")
[[ -z $missing ]] || { echo "not in the bill of materials: $missing"; exit 1; }
