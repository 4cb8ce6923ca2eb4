#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: pgbench python3 setpriv
# The disk's flushes are off: they are the disk's time. The server's socket has a name without a file:
# not every file system on which a database can lie has sockets that their maker may chmod.
. "${0%/*}/common"

port=5432 # of no interest before there is a server
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH

pg() { as postgres env HOME="$PWD" PGHOST="@lxrun-bench.$$" PGPORT="$port" PATH="$PATH" "$@"; }

start()
{
    port=$(free_port)
    trap stop EXIT
    pg pg_ctl -D cluster -l cluster.log -w -t 60 start \
        -o "-p $port -c fsync=off -c listen_addresses= -c unix_socket_directories=@lxrun-bench.$$" >"$log" 2>&1 || {
        grep -m 1 -E 'FATAL|PANIC|could not' cluster.log >"$log" # pg_ctl only says where to look
        false
    }
}

stop()
{
    trap - EXIT
    pg pg_ctl -D cluster -m fast -w stop >"$log" 2>&1
}

# Leaves a stopped cluster with the tables of pgbench.
setup()
{
    [ "$(id -u)" != 0 ] || chown postgres .
    pg initdb -D cluster -A trust --no-sync >"$log" 2>&1
    start
    pg createdb bench
    pg pgbench -q -i -s 1 bench >"$log" 2>&1
    stop
}

run()
{
    [ "$(id -u)" != 0 ] || chown postgres .
    pg true >"$log" 2>&1 # can there be another user at all?
    pg sh -c 'umask 077 && : >made && cat made' >"$log" 2>&1 || {
        echo "what the server's own user makes here it cannot read again: $(<"$log")" >&$complaints
        exit 77
    }
    cp -a "$DATA/cluster" .
    start
    n=$(some 500)
    timed pgbench pg pgbench -n -c 4 -j 2 -t "$n" bench
    expect "$(grep 'processed' "$log")" "number of transactions actually processed: $((4 * n))/$((4 * n))"
    expect "$(pg psql -qAtc 'select sum(delta) = (select sum(bbalance) from pgbench_branches)
        from pgbench_history' bench)" t
    stop
}

main "$@"
