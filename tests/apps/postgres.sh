#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 300
# PostgreSQL: a new cluster, pgbench, a kill -9 under load and the recovery from it; Debian's own
# cluster by pg_ctlcluster. The server refuses to run as root: su and setpriv give it its user.
. tests/apps/common

guest 'own cluster' 200 '
bin=$(echo /usr/lib/postgresql/*/bin)
chown postgres $work
as() { setpriv --reuid=postgres --regid=postgres --init-groups env HOME=$work PGHOST=$work PGPORT=$port PATH=$bin:$PATH "$@"; }
port=$(free_port)
as initdb -k -D data -A trust >/dev/null
start() { as pg_ctl -D data -l log -w -t 60 -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work" start >/dev/null || { cat log; return 1; }; }
cleanup() { [ $status = 0 ] || tail -n 30 $work/log; as pg_ctl -D $work/data -m immediate stop >/dev/null; }
start
as createdb bench
as pgbench -q -i -s 5 bench 2>&1
as pgbench -c 8 -j 2 -T 10 bench >bench.out 2>&1 || { cat bench.out; exit 1; }
grep -q "number of failed transactions: 0 " bench.out
grep -q "^tps = " bench.out
count() { as psql -qAtc "$1" bench; }
expect "$(count "select sum(abalance) = (select sum(bbalance) from pgbench_branches) from pgbench_accounts")" t
expect "$(count "select sum(delta) = (select sum(bbalance) from pgbench_branches) from pgbench_history")" t

# Parallel query, and a connection over TCP.
expect "$(PGOPTIONS="-c max_parallel_workers_per_gather=2 -c min_parallel_table_scan_size=0 -c parallel_setup_cost=0" count "select count(*) from pgbench_accounts")" 500000
expect "$(as psql -h 127.0.0.1 -qAtc "select 1" bench)" 1

# The postmaster dies in the middle of the work.
as pgbench -n -c 8 -T 20 bench >/dev/null 2>&1 & load=$!
sleep 3
postmaster=$(head -n 1 data/postmaster.pid)
kill -KILL $postmaster
wait $load && exit 1
# Its children see that and end; only then may a new one start.
none_left() { ! pgrep -u postgres -x postgres; }
wait_for none_left
start
grep -q "automatic recovery in progress" log
expect "$(count "select sum(delta) = (select sum(bbalance) from pgbench_branches) from pgbench_history")" t
expect "$(count "select sum(abalance) = (select sum(bbalance) from pgbench_branches) from pgbench_accounts")" t
as pg_dump bench >dump
grep -q "PostgreSQL database dump complete" dump
as pg_ctl -D data -m fast -w stop >/dev/null
wait_for none_left
as pg_checksums -D data --check >/dev/null
cleanup() { :; }'

guest 'system cluster' 60 '
set -- $(pg_lsclusters -h)
port=$(free_port)
pg_conftool $1 $2 set port $port
cleanup() { pg_ctlcluster $1 $2 stop -m fast --force; }
pg_ctlcluster $1 $2 start
wait_for pg_isready -p $port
expect "$(su postgres -c "psql -p $port -Atc \"select current_user\"")" postgres
cleanup() { :; }
pg_ctlcluster $1 $2 stop
expect "$(pg_lsclusters -h | tr -s " " | cut -d" " -f4)" down'
