#!/bin/sh
# SPDX-License-Identifier: MIT
# What the everyday tools find in /proc, /sys and by their calls, is true and agrees.
. tests/apps/common

guest 'process tools' 60 '
sleep 300 & child=$!
cleanup() { kill $child; }
began() { [ "$(cat /proc/$child/comm)" = sleep ]; }
wait_for began
expect "$(ps -o pid=,ppid=,user=,comm= -p $child | tr -s " " | sed "s/^ //")" "$child $$ root sleep"
ps -eo pid= >pids
expect "$(wc -l <pids)" 4 # init, this shell, sleep, ps: nobody else is seen
pgrep -x sleep | has -x $child
ps aux | head -n 1 | has "^USER *PID"
pstree=$(ps -e --forest -o args)
echo "$pstree" | has "sleep 300"
top -b -n 1 >top
grep -qE "^ *$child root .* sleep" top
grep -q "^Tasks: *[456] total" top
expect "$(readlink /proc/$child/exe)" /usr/bin/sleep
expect "$(readlink /proc/$child/cwd)" $work
expect "$(readlink /proc/$child/root)" /
expect "$(tr "\0" " " </proc/$child/cmdline)" "sleep 300 "
expect "$(cat /proc/$child/comm)" sleep
grep -q "^Name:.sleep" /proc/$child/status
grep -q "/usr/bin/sleep$" /proc/$child/maps
not grep -E "lxcore|$(basename $0)/build" /proc/$child/maps
exec 7>file
lsof -p $$ 2>/dev/null >lsof; grep -qE " 7w +REG .*$work/file" lsof || { cat lsof; exit 1; }
fuser file 2>/dev/null | has -w $$
pstree -p $$ | has "sleep($child)"
pstree -p | has "^init(1)-"
exec 7>&-
kill $child; wait $child || expect $? 143
cleanup() { :; }
uptime | has "load average"
[ "$(pidof sleep)" = "" ]
w -h >/dev/null
pmap $$ >/dev/null
expect "$(sysctl -n kernel.ostype)" Linux
nice -n 5 sh -c nice | has -x 5
taskset -p $$ >/dev/null
chrt -p $$ | has SCHED_OTHER
prlimit -p $$ --nofile >/dev/null
flock file true
# Locks of programs outside, lxrun itself among them, are not shown.
exec 7>file
flock 7
expect "$(awk "{ print \$(\$2 == \"->\" ? 6 : 5) }" /proc/locks | grep -vcx -e -1 || :)" 0
exec 7>&-
flock file lslocks -n -o COMMAND,TYPE,PATH >locks
expect "$(grep -v undefined locks | tr -s " ")" "flock FLOCK $work/file"'

guest 'machine tools' 60 '
free -b | awk "/^Mem:/ { ok = \$2 > \$3 && \$3 > 0 } END { exit !ok }"
vmstat 1 2 | tail -n 1 | awk "{ exit NF < 16 }"
lscpu | has "^Architecture: *x86_64"
expect "$(lscpu -p=CPU | grep -vc "^#")" "$(grep -c ^processor /proc/cpuinfo)"
expect "$(nproc)" "$(python3 -c "import os; print(len(os.sched_getaffinity(0)))")"
expect "$(getconf _NPROCESSORS_ONLN)" "$(nproc --all)"
df -P / | awk "NR == 2 { ok = \$2 > 0 && \$6 == \"/\" } END { exit !ok }"
df -P /dev/shm | tail -n 1 | has "^tmpfs"
df -a >/dev/null
mount | has "^proc on /proc type proc "
mount | has "^[^ ]* on / type "
expect "$(findmnt -n -o TARGET /)" /
expect "$(findmnt -n -o FSTYPE /proc)" proc
expect "$(findmnt -n -T /dev/pts -o FSTYPE)" devpts
mountpoint -q /dev/shm
not mountpoint -q /etc
stat -f / >/dev/null
lsblk >/dev/null || :
uname -a | has "^Linux .* x86_64 GNU/Linux"
hostname | has .
expect "$(id)" "uid=0(root) gid=0(root) groups=0(root)"
expect "$(tty || :)" "not a tty"
date +%Y | has -E "^20[0-9][0-9]$"
systemd-detect-virt >virt || grep -qx none virt
last -f /dev/null >/dev/null || :
dmesg >/dev/null 2>&1 || :
ulimit -a >/dev/null
locale >/dev/null
getent passwd root | has ^root:x:0:0:
ldd /bin/ls | has "libc.so.6 => /lib"
file=$(mktemp)
truncate -s 1G $file
expect "$(stat -c %s $file)" 1073741824
rm $file
dd if=/dev/zero of=zeros bs=1M count=8 status=none
expect "$(md5sum <zeros | cut -c 1-8)" 96995b58
cp -a --sparse=always zeros holes
cmp zeros holes
tar -cf - -C /usr/share/doc . | tar -tf - | wc -l | { read n; [ $n -gt 500 ]; }
find /proc /sys -maxdepth 2 -name "*" >/dev/null 2>find.err || { ! grep -v "Permission denied\|No such file" find.err; }
du -sh /usr/lib/gcc >/dev/null'

guest 'network tools' 60 '
port=$(free_port)
python3 -m http.server --bind 127.0.0.1 $port >/dev/null 2>&1 & server=$!
cleanup() { kill $server; }
listens() { ss -Hltn | has "127.0.0.1:$port "; }
wait_for listens
ss -ltnp | grep ":$port " | has "pid=$server,"
ss -xa >/dev/null
ss -s >/dev/null
ip -o addr show lo | has "inet 127.0.0.1/8"
ip -o link | has " lo: "
ip route >/dev/null
ip -j addr | python3 -m json.tool >/dev/null
expect "$(python3 -c "import socket; print(\"lo\" in dict(socket.if_nameindex()).values())")" True
getent hosts localhost | has -E "127.0.0.1|::1"
grep -q "lo:" /proc/net/dev
grep -q "local_address" /proc/net/tcp'
