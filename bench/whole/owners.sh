#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: tar gzip find
# 5,000 files of several owners. What runs over a tree the first time finds no attribute known.
. "${0%/*}/common"

sum() { cat "$1"/*/* | md5sum; }

# How many entries of a tree have each owner; PRoot shows one.
owners() { find "$1" -printf '%U:%G\n' | sort | uniq -c; }

run()
{
    mkdir plain zipped
    timed untar tar -xf "$DATA/files.tar" -C plain
    timed untar-gz tar -xzf "$DATA/files.tar.gz" -C zipped
    # Attributes are remembered of what was left alone for a moment (docs/files.md).
    sleep 0.1
    timed find-cold find plain -type f -size +4k
    expect "$(wc -l <"$log")" "$(<"$DATA/files.large")"
    timed find-warm find plain -type f -size +4k
    expect "$(wc -l <"$log")" "$(<"$DATA/files.large")"
    timed du-cold du -s zipped
    timed du-warm du -s zipped
    timed cp cp -a plain copy
    expect "$(sum copy)" "$(<"$DATA/files.sum")"
    expect "$(owners copy)" "$(owners plain)"
    timed rm rm -rf copy
    expect "$(sum plain)" "$(<"$DATA/files.sum")"
    expect "$(sum zipped)" "$(<"$DATA/files.sum")"
    expect "$(owners zipped)" "$(owners plain)"
    expect "$(ls)" "$(printf '%s\n' log plain zipped)"
}

main "$@"
