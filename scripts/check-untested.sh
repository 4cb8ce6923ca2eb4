#!/bin/sh
# SPDX-License-Identifier: MIT
# Lists the served rows of the table that no test in tests/guest/ names in its `covers:` line.
# Exits 1 when there are any.
set -eu
cd "$(dirname "$0")/.."
lxrun=${LXRUN:-build/lxrun}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for test in tests/guest/*.c; do
    sed -n '1,15s/^[^a-z]*covers:\(.*\)/\1/p' "$test"
done | tr -cs 'a-z0-9_' '\n' | sort -u >"$work/covered"
"$lxrun" --table | awk '$3 != "refused" { print $2 }' | sort >"$work/served"

comm -13 "$work/covered" "$work/served" >"$work/untested"
cat "$work/untested"
echo "$(wc -l <"$work/untested") of $(wc -l <"$work/served") served rows have no test" >&2

unknown=$("$lxrun" --table | awk '{ print $2 }' | sort | comm -13 - "$work/covered" | tr -s '\n' ' ')
[ -z "${unknown# }" ] || echo "covers: names no row: $unknown" >&2
[ ! -s "$work/untested" ]
