#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-tidy over both programs with the checks of .clang-tidy.
# level: test
set -eu
cd "$(dirname "$0")/.."

common="-std=gnu11 -iquote include -DLXRUN_VERSION=\"\""
tidy()
{
    files=$1
    shift
    [ -z "$files" ] || clang-tidy --quiet $files -- $common "$@" 2>/dev/null
}

status=0
tidy "$(find host task fs loader syscalls trap -name '*.c' 2>/dev/null)" \
    -ffreestanding -fPIE -mgeneral-regs-only || status=1
tidy "$(find cli rewrite vm -name '*.c' 2>/dev/null)" || status=1
exit $status
