#!/bin/sh
# SPDX-License-Identifier: MIT
# What containers are made of here: util-linux' unshare with mounts and a host name of its own, and
# a root built by bind mounts, with a /dev of its own, that pivot_root goes to.
. tests/apps/common

guest unshare 60 '
before=$(cat /proc/self/mountinfo)
name=$(hostname)
unshare --mount --uts bash -euc "
mount -t tmpfs none /mnt
touch /mnt/inside
hostname inside
[ \"\$(uname -n)\" = inside ]
mount -o remount,bind,ro /mnt
! touch /mnt/more 2>/dev/null || exit 1
findmnt -n -o OPTIONS /mnt | grep -q ^ro
[ \"\$(readlink /proc/self/ns/mnt)\" != \"\$(readlink /proc/$$/ns/mnt)\" ]
"
[ ! -e /mnt/inside ]
expect "$(hostname)" "$name"
expect "$(cat /proc/self/mountinfo)" "$before"'

guest "a root of its own" 60 '
mkdir root
cat >start <<"S"
set -eu
mount -t tmpfs none root
cd root
mkdir usr proc dev tmp old
mount --rbind /usr usr
mount -o remount,bind,ro usr
for d in bin lib lib64 sbin; do ln -s usr/$d $d; done
mount -t proc proc proc
mount -t tmpfs -o mode=755 none dev
for n in null zero full random urandom tty; do
    : >dev/$n
    mount --bind /dev/$n dev/$n
done
mount -t tmpfs -o size=1m none tmp
pivot_root . old
cd /
umount -l old
rmdir old
[ "$(ls / | tr "\n" " ")" = "bin dev lib lib64 proc sbin tmp usr " ]
[ ! -e /etc ]
[ "$(stat -c %t:%T,%a dev/null)" = 1:3,666 ]
echo x >dev/null
[ "$(head -c 9 dev/zero | wc -c)" = 9 ]
! touch usr/x 2>/dev/null || exit 1
! head -c 2000000 dev/urandom >tmp/f 2>/dev/null || exit 1
python3 -c "import os, json; print(os.listdir(\"/dev\"))" >/dev/null
S
mounts=$(wc -l </proc/self/mounts)
unshare --mount bash start
expect "$(wc -l </proc/self/mounts)" "$mounts"
expect "$(ls root)" ""'
