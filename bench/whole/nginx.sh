#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: nginx ab python3
. "${0%/*}/common"

# requests OPTION...: ab must have had every answer.
requests() { ab -q "$@" "http://127.0.0.1:$port/file"; }
both()
{
    requests -c 10 -n "$1"
    requests -c 10 -n "$((2 * $1))" -k
}

run()
{
    port=$(free_port)
    mkdir www
    head -c 10000 "$DATA/nginx.file" >www/file
    cat >nginx.conf <<N
worker_processes 2;
daemon off;
pid $PWD/pid;
error_log $PWD/error.log;
events { worker_connections 512; }
http {
    access_log $PWD/access.log;
    sendfile on;
    server { listen 127.0.0.1:$port; root $PWD/www; }
}
N
    nginx -c "$PWD/nginx.conf" &
    trap 'kill -QUIT %1 && wait %1 || :' EXIT
    wait_for requests -n 1
    n=$(some 3000)
    timed nginx both "$n"
    expect "$(grep -c '^Failed requests: *0$' "$log")" 2
    expect "$(grep -c '^Non-2xx' "$log" || :)" 0 || {
        tail -n 1 error.log >"$log"
        false
    }
    expect "$(grep -c '"GET /file HTTP/1.0" 200 10000' access.log)" $((3 * n + 1))
}

main "$@"
