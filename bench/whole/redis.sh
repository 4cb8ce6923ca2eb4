#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: redis-server redis-benchmark python3
. "${0%/*}/common"

run()
{
    port=$(free_port)
    redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$PWD" >server.log 2>&1 &
    trap 'kill %1 && wait %1 || :' EXIT
    wait_for redis-cli -p "$port" ping
    timed redis redis-benchmark -p "$port" -q -c 20 -n "$(some 20000)" -t set,get
    expect "$(grep -c 'requests per second' "$log")" 2
    expect "$(redis-cli -p "$port" dbsize)" 1
}

main "$@"
