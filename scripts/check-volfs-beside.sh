#!/bin/sh
# SPDX-License-Identifier: MIT
# A Debian tree on a file system without attributes of users, ramfs (fs/attrstore.c): unpacked by an
# ordinary user, its owners and modes are those on any other, also to a second instance; bad pointers
# are EFAULT; then random operations as in scripts/check-volfs.py.
# level: test
# timeout: 600
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "mounting needs root"; exit 77; }
[ -f "$top/build/debian.tar" ] || "$top/scripts/rootfs.sh" --tar
work=$(mktemp -d /var/tmp/lxrun-beside.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/mnt" "$work/bin"
cp "$top/build/lxrun" "$top/build/lxcore" "$work/bin"
cp --reflink=auto "$top/build/debian.tar" "$work"
cat >"$work/faults.py" <<'EOF'
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
bad = ctypes.c_void_p(8)
def fails(f, *args):
    assert f(*args) == -1 and ctypes.get_errno() == errno.EFAULT, (f, ctypes.get_errno())
open("/tmp/f", "w").close()
assert libc.setxattr(b"/tmp/f", b"user.a", b"value", 5, 0) == 0
fails(libc.setxattr, b"/tmp/f", b"user.b", bad, 5, 0)
fails(libc.getxattr, b"/tmp/f", b"user.a", bad, 5)
fails(libc.listxattr, b"/tmp/f", bad, 100)
value = ctypes.create_string_buffer(5)
assert libc.getxattr(b"/tmp/f", b"user.a", value, 5) == 5 and value.raw == b"value"
EOF
# What tar says that is in it: mode, owner and name.
tar --numeric-owner -tvf "$work/debian.tar" | sed -E 's/^h/-/; s/ link to .*//; s/ -> .*//; s,/$,,' |
    awk '{ print $1, $2, $NF }' | grep -vE ' \.(/(dev|proc|sys|tmp)(/.*)?)?$' | sort >"$work/want"
unshare -m sh -c '
    set -eu
    top=$1 work=$2
    mount -t ramfs ramfs "$work/mnt"
    chmod 1777 "$work/mnt"
    setpriv --reuid=64321 --regid=64321 --clear-groups sh -euc "
        export XDG_CACHE_HOME=$work/mnt/cache
        mkdir $work/mnt/cache $work/mnt/debian
        cd $work/mnt/debian
        mkdir tmp proc sys dev
        tar -xf $work/debian.tar ./usr ./lib ./lib64 ./bin
        $work/bin/lxrun -r . -b $work/debian.tar:/tmp/debian.tar tar -C / -xpf /tmp/debian.tar \
            --exclude=./dev --exclude=./proc --exclude=./sys
        $work/bin/lxrun -r . find / -xdev -printf \"%M %U/%G .%p\\n\" >$work/mnt/got
        $work/bin/lxrun -r . python3 - <$work/faults.py
        test -d $work/mnt/debian.lxrun-attrs
    "
    sort "$work/mnt/got" >"$work/got"
    rm -rf "$work/mnt/debian" "$work/mnt/debian.lxrun-attrs"
    "$top/scripts/check-volfs.py" --dir "$work/mnt" --beside' sh "$top" "$work"
[ "$(wc -l <"$work/want")" -gt 10000 ]
comm -23 "$work/want" "$work/got" >"$work/missing"
if [ -s "$work/missing" ]; then
    echo "not as in the archive:"
    head "$work/missing"
    exit 1
fi
