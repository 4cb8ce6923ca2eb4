#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: sqlite3
# One transaction for each insert. The disk's flushes are off: they are the disk's time.
. "${0%/*}/common"

run()
{
    n=$(some 2000)
    {
        echo 'pragma synchronous=off; create table t(n integer, s text);'
        for ((i = 1; i <= n; i++)); do
            echo "insert into t values($i, 'row $i');"
        done
    } >script.sql
    timed sqlite sqlite3 -bail db '.read script.sql'
    expect "$(sqlite3 db 'select count(*), sum(n), count(distinct s) from t; pragma integrity_check')" \
        "$n|$((n * (n + 1) / 2))|$n"$'\nok'
}

main "$@"
