#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: sqlite3 setpriv
# A database of another user than root; 8 processes count in one row, under POSIX locks. A lock
# that is lost shows as a count that is.
. "${0%/*}/common"

writers()
{
    local i pids=()
    for i in {1..8}; do
        sqlite3 -bail db '.read script.sql' &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i"
    done
}

run()
{
    n=$(some 200)
    {
        echo '.timeout 60000'
        echo 'pragma synchronous=off;'
        for ((i = 1; i <= n; i++)); do
            echo 'update t set n = n + 1;'
        done
    } >script.sql
    chown 1000:1001 . script.sql
    as_user sqlite3 db 'create table t(n integer); insert into t values(0);'
    export -f writers
    timed sqlite as_user bash -e -c writers
    expect "$(sqlite3 db 'select n from t; pragma integrity_check')" "$((8 * n))"$'\nok'
}

main "$@"
