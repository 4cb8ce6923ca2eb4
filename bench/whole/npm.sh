#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: node perl
# A project whose dependencies are folders beside it: npm packs, unpacks and links them. npm is
# Debian's, brought along with the data.
. "${0%/*}/common"

export NODE_PATH=$DATA/nodejs

run()
{
    # node looks at every file by statx, the system call itself. Who translates paths may not know it,
    # and find what the host has by that name: so one that it has not. perl does the same, and starts
    # faster, which counts where a processor is emulated.
    new=$PWD/$$.$EPOCHREALTIME
    : >"$new"
    perl -e 'exit(syscall(332, -100, $ARGV[0], 0, 0x7ff, my $b = "\0" x 256) != 0)' "$new" >"$log" 2>&1 || {
        echo "node asks for files by the system call statx, whose paths it does not translate" >&$complaints
        exit 77
    }
    cp -r "$DATA/npm" npm
    cd npm/project
    timed npm node "$NODE_PATH/npm/bin/npm-cli.js" install --offline --no-audit --no-fund --install-links
    expect "$(node -p 'require("./index.js")')" "$(<"$DATA/npm.sum")"
}

main "$@"
