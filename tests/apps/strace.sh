#!/bin/sh
# SPDX-License-Identifier: MIT
# strace inside the guest: it shows the guest's calls and nothing of lxcore.
. tests/apps/common

if "$LXRUN" --table | grep -qE '^101 +ptrace +refused'; then
    echo "ptrace is refused so far (docs/limits.md)"
    exit 77
fi
guest strace 60 '
strace -o out true 2>err || { cat err; exit 1; }
grep -q "^execve(\"/usr/bin/true\"" out && grep -q "exited with 0" out
{ ! grep -E "SIGSYS|openat2\([0-9]" out; }
strace -f -c -o out sh -c "ls >/dev/null; ls >/dev/null"
grep -q openat out'
