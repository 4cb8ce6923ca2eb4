#!/bin/sh
# SPDX-License-Identifier: MIT
# sshd: a new user, a key, a login over loopback with and without a terminal, scp and sftp, a
# forwarded port, an agent.
. tests/apps/common

guest sshd 120 '
port=$(free_port)
user=login$$
useradd -m -s /bin/bash $user
ssh-keygen -q -t ed25519 -N "" -f key
ssh-keygen -q -t ed25519 -N "" -f host
install -d -o $user -g $user -m 700 /home/$user/.ssh
install -o $user -g $user -m 600 key.pub /home/$user/.ssh/authorized_keys
mkdir -p -m 755 /run/sshd
/usr/sbin/sshd -f /etc/ssh/sshd_config -E $work/log -h $work/host -p $port -o ListenAddress=127.0.0.1 -o PidFile=$work/pid
cleanup() { [ $status = 0 ] || cat $work/log; kill $(cat $work/pid); wait_for sh -c "! pgrep -u $user"; userdel -r $user 2>/dev/null; }
wait_for test -s pid
opts="-q -i $work/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=$work/known -o BatchMode=yes"
login() { timeout 30 ssh $opts -p $port $user@127.0.0.1 "$@"; }
expect "$(login id -un)" $user
expect "$(login pwd)" /home/$user
expect "$(login -tt "tty | sed s/[0-9]*$//; stty -a | grep -c rows; kill -0 \$PPID && id -un" | tr -d "\r")" "/dev/pts/
1
$user"
login exit 42 && exit 1 || expect $? 42
expect "$(head -c 3000000 /dev/zero | login wc -c)" 3000000
expect "$(login cat /etc/shadow 2>&1 | grep -c denied)" 1
head -c 1000000 /dev/urandom >data
scp $opts -P $port data $user@127.0.0.1:copy
scp $opts -P $port $user@127.0.0.1:copy back
cmp data back
expect "$(stat -c %U /home/$user/copy)" $user
echo "ls copy" | timeout 20 sftp -b - $opts -P $port $user@127.0.0.1 | has "^copy"
forward=$(free_port)
ssh $opts -p $port -N -L 127.0.0.1:$forward:127.0.0.1:$port $user@127.0.0.1 & tunnel=$!
wait_for ssh-keyscan -p $forward 127.0.0.1
ssh-keyscan -t ed25519 -p $forward 127.0.0.1 2>/dev/null | has ssh-ed25519
kill $tunnel
eval $(ssh-agent) >/dev/null
ssh-add -q key
expect "$(timeout 30 ssh -q -A -o StrictHostKeyChecking=no -o UserKnownHostsFile=$work/known -p $port $user@127.0.0.1 "ssh-add -l | wc -l")" 1
ssh-agent -k >/dev/null'
