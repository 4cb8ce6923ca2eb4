#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: git
. "${0%/*}/common"

setup() { import_repository; }

run()
{
    git config --global gc.auto 0
    git config --global safe.directory '*'
    timed git-clone git clone -q "$DATA/repo" clone
    expect "$(git -C clone ls-files | wc -l)" "$(some 3000)"
    # The first one may still refresh the index.
    git -C clone status --porcelain
    timed git-status git -C clone status --porcelain
    expect "$(<"$log")" ''
    git -C clone fsck --no-progress
}

main "$@"
