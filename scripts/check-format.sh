#!/bin/sh
# SPDX-License-Identifier: MIT
# The C sources obey .clang-format; what tests/rewrite has is for the assembler (`make format` rewrites them).
set -eu
cd "$(dirname "$0")/.."
find include host task fs loader syscalls trap rewrite cli vm tests bench -path tests/rewrite -prune -o \
    -name '*.[ch]' -print 2>/dev/null |
    xargs -r clang-format --dry-run --Werror
