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

# A file system of another kind, if it is there: it does not keep the mark of a new file, tells an old
# number of links, and renames an open file that is removed, as NFS does.
command -v bindfs >/dev/null || { echo "FUSE: no bindfs"; exit 0; }
cat >"$work/links.c" <<'EOF'
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
static void show(int fd)
{
    struct stat st;
    fstat(fd, &st);
    printf("%o %u:%u\n", st.st_mode, st.st_uid, st.st_gid);
}
int main(void)
{
    umask(0);
    int fd = open("/tmp/a", O_CREAT | O_EXCL | O_RDWR, 0640);
    fchown(fd, 5, 6);
    link("/tmp/a", "/tmp/b");
    unlink("/tmp/a");
    show(open("/tmp/b", O_RDONLY));
    unlink("/tmp/b");
    show(fd);
    fchmod(fd, 0604);
    show(fd);
    close(fd);
    show(open("/tmp/a", O_CREAT | O_EXCL | O_RDWR, 0600));
    seteuid(7);
    show(open("/tmp/c", O_CREAT | O_EXCL | O_RDWR, 0444));
    show(open("/tmp/c", O_RDONLY));
}
EOF
unshare -m sh -c '
    set -eu
    work=$1
    mkdir "$work/other"
    bindfs --xattr-none "$work/other" "$work/mnt"
    mkdir "$work/mnt/root"
    (cd "$work/mnt/root" && mkdir -p -m 1777 tmp bin proc sys dev)
    gcc -w -O1 -static -o "$work/mnt/root/bin/links" "$work/links.c"
    XDG_CACHE_HOME="$work/cache" "$work/bin/lxrun" -r "$work/mnt/root" /bin/links' sh "$work" >"$work/links"
printf '%s\n' '100640 5:6' '100640 5:6' '100604 5:6' '100600 0:0' '100444 7:0' '100444 7:0' | diff - "$work/links"
