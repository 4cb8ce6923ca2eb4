#!/bin/sh
# SPDX-License-Identifier: MIT
# nginx: 10,000 requests to several workers (epoll, sendfile, accept in many processes), as a proxy
# too, a reload under load, and a quiet end.
. tests/apps/common

guest nginx 120 '
port=$(free_port)
mkdir www
head -c 30000 /dev/urandom >www/file
echo small >www/index.html
chmod 644 www/*
cat >nginx.conf <<N
user www-data;
worker_processes 3;
pid $work/pid;
error_log $work/error.log;
events { worker_connections 512; }
http {
    access_log $work/access.log;
    sendfile on;
    server { listen 127.0.0.1:$port reuseport; root $work/www; location /proxy/ { proxy_pass http://unix:$work/socket:/; } }
    server { listen unix:$work/socket; root $work/www; }
}
N
nginx -t -c $work/nginx.conf 2>/dev/null || nginx -t -c $work/nginx.conf
nginx -c $work/nginx.conf
cleanup() { kill $(cat $work/pid); [ $status = 0 ] || cat $work/error.log; }
wait_for test -s pid
bench() { ab -q "$@" >ab.out 2>&1 || { cat ab.out; return 1; }
          { grep -q "^Failed requests: *0$" ab.out && ! grep -q "^Non-2xx" ab.out; } || { cat ab.out; return 1; }; }
bench -n 10000 -c 20 http://127.0.0.1:$port/
bench -k -n 10000 -c 20 http://127.0.0.1:$port/file
bench -n 1000 -c 10 http://127.0.0.1:$port/proxy/file
python3 - $port <<P
import sys, urllib.request
assert urllib.request.urlopen("http://127.0.0.1:%s/file" % sys.argv[1]).read() == open("www/file", "rb").read()
P
bench -n 10000 -c 10 http://127.0.0.1:$port/ & load=$!
sleep 0.3
kill -HUP $(cat pid)
wait $load
# The workers of before the reload end when they have nothing to do any more.
users() { [ "$(ps -o user= -C nginx | sort | uniq -c | tr -s " ")" = " 1 root
 3 www-data" ]; }
wait_for users
kill -QUIT $(cat pid)
gone() { [ ! -e pid ]; }
wait_for gone
cleanup() { :; }
expect "$(wc -l <access.log)" 32001 # a worker answers first, and then writes its line
not grep -v -E "\[notice\]" error.log'
