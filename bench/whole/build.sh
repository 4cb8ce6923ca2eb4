#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: gcc cmake make
. "${0%/*}/common"

run()
{
    timed cmake cmake -S "$DATA/project" -B configured
    expect "$(grep -c ':INTERNAL=1$' <(grep '^HAVE_' configured/CMakeCache.txt))" "$(<"$DATA/project.found")"
    cp -r "$DATA/project" made
    timed make make -C made -j 2
    expect "$(made/sum)" "$(<"$DATA/project.sum")"
}

main "$@"
