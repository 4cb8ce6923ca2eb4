#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of system calls is whole: every number there is, each as the kernel header has it, a
# reason for every refusal, a note for every partial row, and docs/syscalls.md up to date.
set -eu
cd "$(dirname "$0")/.."
lxrun=${LXRUN:-build/lxrun}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail()
{
    echo "check-table: $1" >&2
    failed=1
}

"$lxrun" --table >"$work/table"
"$lxrun" --table --json >"$work/json"
"$lxrun" --table --markdown >"$work/page"

python3 -m json.tool "$work/json" >"$work/parsed" || fail "--table --json is not JSON"

if ! diff -u docs/syscalls.md "$work/page"; then
    fail "docs/syscalls.md is stale: $lxrun --table --markdown >docs/syscalls.md"
fi

# x86-64 has no numbers between 336 and 424.
{ seq 0 336; seq 424 469; } >"$work/expected"
awk '{ print $1 }' "$work/table" >"$work/numbers"
diff "$work/expected" "$work/numbers" || fail "numbers are missing, extra or out of order"

# Newer headers may bring calls that the table lacks; older ones know fewer.
echo '#include <asm/unistd_64.h>' | ${CC:-gcc} -E -dM - |
    sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$/\2 \1/p' | sort >"$work/header"
[ -s "$work/header" ] || fail "no call found in <asm/unistd_64.h>"
awk '{ print $1, $2 }' "$work/table" | sort >"$work/rows"
differing=$(comm -23 "$work/header" "$work/rows")
[ -z "$differing" ] || fail "not in the table as in <asm/unistd_64.h>: $differing"

awk '$3 == "refused" && NF < 5 { print $2 ": refused without a reason"; bad = 1 }
     $4 == "partial" && NF < 5 { print $2 ": partial without a note"; bad = 1 }
     $4 == "full" && NF > 4 { print $2 ": full, but with a note"; bad = 1 }
     END { exit bad }' "$work/table" || fail "rows without their explanation"

exit $failed
