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
    # git reads a file again that is not older than the index, in whole seconds: how much it has to
    # do would be a matter of when in the second the clone ended. The first one makes the index anew.
    sleep 1.1
    git -C clone status --porcelain
    timed git-status git -C clone status --porcelain
    expect "$(<"$log")" ''
    git -C clone fsck --no-progress
}

main "$@"
