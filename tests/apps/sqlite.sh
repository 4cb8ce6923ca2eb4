#!/bin/sh
# SPDX-License-Identifier: MIT
# sqlite3: four processes write at once, in both kinds of journal; its locks are POSIX locks, which
# lxcore must never drop.
. tests/apps/common

guest sqlite 180 '
for mode in delete wal; do
    rm -f db*
    sqlite3 db "pragma journal_mode=$mode; create table t(who int, n int); create table sum(total int); insert into sum values(0)" >/dev/null
    for who in 1 2 3 4; do
        {
            echo ".timeout 60000"
            for n in $(seq 100); do
                echo "begin immediate; insert into t values($who, $n); update sum set total = total + $n; commit;"
            done
        } | sqlite3 -bail db &
        pids="${pids-} $!"
    done
    for p in $pids; do wait $p; done
    pids=
    expect "$(sqlite3 db "select count(*), sum(n) from t; select total from sum; pragma integrity_check")" "400|20200
20200
ok"
done'
