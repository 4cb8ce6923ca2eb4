#!/bin/sh
B=${1:-/tmp/h-inplace/build}
mkdir -p /tmp/h-bench/root/t /tmp/h-bench/root/dev /tmp/h-bench/root/proc; cp /tmp/h-bench/b /tmp/h-bench/root/t
door=$(nm $B/lxcore | awk '$3=="door_enter"{print $1}')
$B/lxrun -r /tmp/h-bench/root --cd /t ./b $door
