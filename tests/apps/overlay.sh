#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs in an overlay of the whole tree, which stays as it is; and layers that a kernel's own
# overlay reads, and the other way round.
. tests/apps/common

guest "programs in an overlay" 200 '
mkdir o
mount -t tmpfs none o
mkdir o/up o/work o/m
before=$(find /etc /var/lib/dpkg -xdev -printf "%p %i %m %U %s %T@\n" | sort | sha256sum)
mount -t overlay overlay o/m -o lowerdir=/,upperdir=$PWD/o/up,workdir=$PWD/o/work
cleanup() { umount o/m/proc o/m/dev o/m o || :; }
mount --bind /dev o/m/dev
mount -t proc proc o/m/proc
cat >o/m/root/inside <<"S"
set -euE -o pipefail
trap "echo \"failed: \$BASH_COMMAND\" >&2" ERR
cd /root
df . | grep -q "^overlay"
printf "int main(void) { return 7; }\n" >x.c
gcc -O2 -o x x.c && { ./x && exit 1 || [ $? = 7 ]; }
git init -q r
cd r
cp /usr/include/*.h .
git add -A
git -c user.name=a -c user.email=a@b commit -qm one
git rm -q -r .
git status --short >/dev/null
git checkout -q HEAD .
git fsck
cd ..
cp -a /etc etc
diff -r --no-dereference /etc etc
chmod -R a+rX,u+w /usr/share/perl5
chown -R 5:6 /usr/share/perl5
[ "$(stat -c %u:%g /usr/share/perl5/Debconf)" = 5:6 ]
python3 -c "import json, sqlite3; sqlite3.connect(\"db\").execute(\"create table t(x)\")"
tar -C / -cf - usr/share/perl5 | tar -xf - -C .
diff -r /usr/share/perl5 usr/share/perl5
sed -i "s/^root:/root:/" /etc/passwd
dpkg --remove --force-all apache2-utils >/dev/null 2>&1
[ ! -e /usr/bin/htpasswd ]
! dpkg -s apache2-utils >/dev/null 2>&1 || exit 1
rm -rf /usr/share/doc /var/cache/apt
[ ! -e /usr/share/doc ]
mkdir /usr/share/doc
[ -z "$(ls -A /usr/share/doc)" ]
find / -xdev -name "*.h" | sort >headers
S
chroot o/m /bin/bash /root/inside
expect "$(find /etc /var/lib/dpkg -xdev -printf "%p %i %m %U %s %T@\n" | sort | sha256sum)" "$before"
[ -e /usr/bin/htpasswd ]
[ -d /usr/share/doc/bash ]
[ ! -e /root/inside ]
dpkg -s apache2-utils >/dev/null'

# ---- A kernel's overlay on the same layers ----

work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work"
lxrun=$OLDPWD/$LXRUN
[ "${LXRUN#/}" = "$LXRUN" ] || lxrun=$LXRUN
mkdir root root/bin root/dev root/proc root/sys root/tmp low low/d low/e up work work2 m
cp "$OLDPWD/$APPS/bin/busybox" root/bin/busybox 2>/dev/null || cp "$APPS/bin/busybox" root/bin/busybox
chmod 755 root/bin/busybox
echo a >low/a
echo b >low/b
echo in >low/d/in
echo in >low/e/in
# Of a file with set-id bits of the host's the copy has them for the guest alone.
mkdir set set/low set/up set/work
cp root/bin/busybox set/low/x
cp root/bin/busybox set/low/none
chmod 6755 set/low/x
"$lxrun" -r root -b "$work:/w" --cd /w/set /bin/busybox sh -euc '
mode() { [ "$(busybox stat -c %a $1)" = $2 ]; }
busybox mount -t overlay o ../m -o lowerdir=low,upperdir=up,workdir=work
cd ../m
mode x 6755
busybox touch x
busybox touch none
mode x 6755
mode none 755
busybox cmp x /bin/busybox'
[ "$(stat -c %a set/low/x)" = 6755 ]
[ "$(stat -c %a set/up/none)" = 755 ]
[ $((0$(stat -c %a set/up/x) & 06000)) = 0 ]
case $(id -u) in 0) front="unshare -m" ;; *) front="unshare -Urm" ;; esac
options=lowerdir=low,upperdir=up,userxattr
if ! $front mount -t overlay o m -o $options,workdir=work2 2>/dev/null; then
    echo "no overlay can be mounted on the host here"
    exit 77
fi
"$lxrun" -r root -b "$work:/w" --cd /w /bin/busybox sh -euc '
busybox mount -t overlay o m -o '$options',workdir=work
cd m
echo more >>a
rm b
rm -r d
mkdir d
echo new >d/new
rm e/in
mv a c'
# shellcheck disable=SC2016
$front sh -euc '
mount -t overlay o m -o '$options',workdir=work2
cd m
[ "$(echo *)" = "c d e" ]
[ "$(cat c)" = "a
more" ]
[ "$(ls d)" = new ]
[ -z "$(ls e)" ]
rm -r e
mkdir e
echo k >e/kernel
rm c'
# shellcheck disable=SC2016
"$lxrun" -r root -b "$work:/w" --cd /w /bin/busybox sh -euc '
busybox mount -t overlay o m -o '$options',workdir=work
cd m
[ "$(echo *)" = "d e" ]
[ "$(cat e/kernel)" = k ]
[ "$(ls e)" = kernel ]
[ "$(cat d/new)" = new ]'
