#!/bin/sh
# SPDX-License-Identifier: MIT
# redis: the benchmark, both kinds of persistence (a forked child writes the snapshot), pub/sub.
. tests/apps/common

guest redis 120 '
port=$(free_port)
chown redis $work
ready() { redis-cli -p $port ping | has PONG; } # and not still loading, which it would say, too
start() { setpriv --reuid=redis --regid=redis --init-groups redis-server --port $port --bind 127.0.0.1 --dir $work --unixsocket $work/socket \
          --daemonize yes --appendonly $1 --pidfile $work/pid --logfile $work/log >/dev/null; wait_for ready; }
cleanup() { redis-cli -p $port shutdown nosave; [ $status = 0 ] || tail -n 20 log; }
start no
redis-benchmark -p $port -q -n 20000 -t ping,set,get,incr,lpush,lrange_100,mset >bench 2>&1 || { cat bench; exit 1; }
redis-benchmark -s socket -q -n 20000 -P 16 --threads 2 -t set,get >bench 2>&1 || { cat bench; exit 1; }
redis-cli -p $port set kept value >/dev/null
expect "$(redis-cli -p $port bgsave)" "Background saving started"
saved() { [ "$(redis-cli -p $port info persistence | grep -c -e "^rdb_bgsave_in_progress:0" -e "^rdb_last_bgsave_status:ok")" = 2 ]; }
wait_for saved
redis-cli -p $port shutdown nosave
start no
expect "$(redis-cli -p $port get kept)" value
redis-cli -p $port shutdown nosave
rm -f dump.rdb
start yes
for i in $(seq 100); do echo "set k$i $i"; done | redis-cli -p $port >/dev/null
# It answers before it writes while the last fsync takes its time.
written() { redis-cli -p $port info persistence | has "^aof_buffer_length:0"; }
wait_for written
killed=$(cat pid)
kill -KILL $killed
dead() { ! kill -0 $killed; }
wait_for dead # and its port is free
start yes
expect "$(redis-cli -p $port dbsize)" 100
redis-cli -p $port subscribe news >heard & listener=$!
wait_for sh -c "redis-cli -p $port publish news hello | grep -qx 1"
wait_for grep -q hello heard
kill $listener'
