#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: git setpriv
# bench/whole/git.sh as another user than root: every file is that user's.
. "${0%/*}/common"

setup() { import_repository; }

run()
{
    chown 1000:1001 .
    as_user git config --global gc.auto 0
    as_user git config --global safe.directory '*'
    timed git-clone as_user git clone -q "$DATA/repo" clone
    expect "$(as_user git -C clone ls-files | wc -l)" "$(some 3000)"
    # git reads a file again that is not older than the index, in whole seconds: how much it has to
    # do would be a matter of when in the second the clone ended. The first one makes the index anew.
    sleep 1.1
    as_user git -C clone status --porcelain
    timed git-status as_user git -C clone status --porcelain
    expect "$(<"$log")" ''
    as_user git -C clone fsck --no-progress
}

main "$@"
