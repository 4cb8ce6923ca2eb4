#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: tar gzip find du md5sum
# Trees of many small files.
. "${0%/*}/common"

# Every file's content, in the order of names.
sum() { cat "$1"/*/* | md5sum; }

run()
{
    mkdir plain zipped
    timed untar tar -xf "$DATA/files.tar" -C plain
    timed untar-gz tar -xzf "$DATA/files.tar.gz" -C zipped
    expect "$(sum plain)" "$(<"$DATA/files.sum")"
    expect "$(sum zipped)" "$(<"$DATA/files.sum")"
    timed find find plain -type f -size +4k
    expect "$(wc -l <"$log")" "$(<"$DATA/files.large")"
    timed du du -s plain
    timed cp cp -a plain copy
    expect "$(sum copy)" "$(<"$DATA/files.sum")"
    timed rm rm -rf copy
    expect "$(ls)" "$(printf '%s\n' log plain zipped)"
}

main "$@"
