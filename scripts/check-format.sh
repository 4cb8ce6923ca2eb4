#!/bin/sh
# SPDX-License-Identifier: MIT
# The C sources obey .clang-format; what tests/rewrite has is for the assembler (`make format` rewrites them).
# Nothing that was built is in the repository.
set -eu
cd "$(dirname "$0")/.."
find include host task fs loader syscalls trap rewrite cli vm tests bench -path tests/rewrite -prune -o \
    -name '*.[ch]' -print 2>/dev/null |
    xargs -r clang-format --dry-run --Werror
if [ -e .git ]; then
    binary=$(git ls-files --eol | grep '^i/-text' || true)
    if [ "$binary" ]; then
        echo "check-format: binary files in the repository: $binary" >&2
        exit 1
    fi
fi
