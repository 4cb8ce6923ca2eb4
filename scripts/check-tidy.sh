#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-tidy over both programs with the checks of .clang-tidy.
# level: test
# timeout: 1800
set -eu
cd "$(dirname "$0")/.."

tidy()
{
    xargs -P "$(nproc)" -n 12 sh -c '
        options=$1
        shift
        clang-tidy --quiet "$@" -- -std=gnu11 -iquote include -DLXRUN_VERSION="\"\"" $options 2>/dev/null
    ' tidy "$1"
}

status=0
find host task fs loader syscalls trap -name '*.c' |
    tidy "-ffreestanding -fPIE -mgeneral-regs-only" || status=1
find cli rewrite vm -name '*.c' | tidy "" || status=1
exit $status
