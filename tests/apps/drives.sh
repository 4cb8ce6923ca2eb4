#!/bin/sh
# SPDX-License-Identifier: MIT
# DrvFs: host directories under /mnt, their owners and modes with and without metadata, /etc/fstab,
# mount -t drvfs, and changes on either side of the border while both look.
. tests/apps/common

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/root" "$work/drive" "$work/drive/dir" "$work/outside"
for d in bin dev etc mnt proc sys tmp; do mkdir "$work/root/$d"; done
cp "$APPS/bin/busybox" "$work/root/bin/busybox" # owner and mode are in its attribute
chmod 755 "$work/root/bin/busybox"
for name in sh stat chmod chown cat ls mkdir mv rm touch mount umount mknod mkfifo ln id find grep \
    sleep readlink su printf cut echo head sort rmdir; do
    ln -s busybox "$work/root/bin/$name"
done
printf 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n' >"$work/root/etc/passwd"
umask 022
drive=$work/drive

# in_guest OPTIONS... -- SCRIPT
in_guest()
{
    options=
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    # shellcheck disable=SC2086
    timeout -k 5 60 "$LXRUN" -r "$work/root" --cd / --clearenv -e PATH=/bin -e HOME=/ $options \
        /bin/sh -euc '
            expect() { [ "$1" = "$2" ] || { echo "line $3: expected $2, got $1"; exit 1; }; }
            fails() { ! "$@" 2>/dev/null || { echo "does not fail: $*"; exit 1; }; }
            '"$2"
}

host_is() # FILE FORMAT VALUE
{
    got=$(stat -c "$2" "$drive/$1")
    [ "$got" = "$3" ] || { echo "on the host $1 is $got, not $3"; exit 1; }
}

no_attributes() # FILE...
{
    python3 - "$@" <<'P'
import os, sys
for f in sys.argv[1:]:
    found = [x for x in os.listxattr(f) if x.startswith("user.")]
    assert not found, (f, found)
P
}

# ---- Without metadata ----

echo text >"$drive/f"
echo text >"$drive/readonly"
chmod 444 "$drive/readonly"
echo text >"$drive/x"
chmod 700 "$drive/x"
case $(id -u) in 0) ro_shown=666 ;; *) ro_shown=444 ;; esac
owner=$(stat -c %u:%g "$drive/f")

in_guest -b "$drive:/mnt/d" -- '
cd /mnt/d
expect "$(stat -c %a:%u:%g f)" 666:0:0 1
expect "$(stat -c %a:%u:%g x)" 777:0:0 2
expect "$(stat -c %a:%u:%g dir)" 777:0:0 3
expect "$(stat -c %a readonly)" '$ro_shown' 4
expect "$(stat -Lc %a /proc/self/fd/0 <f)" 666 5
chmod 600 f
expect "$(stat -c %a f)" 666 6
chmod a-w f
expect "$(stat -c %A f | cut -c5-)" "$(stat -c %A readonly | cut -c5-)" 7
chmod u+w f
chmod a-w x
chown 5:6 f
expect "$(stat -c %u:%g f)" 0:0 8
echo more >new
mkdir newdir
ln -s f link
mkfifo fifo
expect "$(cat link)" text 9
fails mknod null c 1 3
grep -q " /mnt/d drvfs rw" /proc/mounts
expect "$(su user -c "id -u; echo by user >byuser; stat -c %u byuser")" "1000
0" 10
fails chown 7 missing
fails su user -c "chmod 600 f"
mv new dir/moved'
host_is f %a:%u:%g "644:$owner"
host_is x %a 500
host_is dir/moved %a 644
host_is newdir %u:%g "$owner"
[ -p "$drive/fifo" ]
[ "$(readlink "$drive/link")" = f ]
no_attributes "$drive/f" "$drive/x" "$drive/dir" "$drive/newdir" "$drive/byuser" "$drive"
rm "$drive/fifo" "$drive/byuser" "$drive/dir/moved"
chmod 755 "$drive/x"

# ---- Options ----

in_guest -b "$drive:/mnt/d:uid=1000,gid=5,umask=22,fmask=111,dmask=2" -- '
cd /mnt/d
expect "$(stat -c %a:%u:%g f)" 644:1000:5 11
expect "$(stat -c %a:%u:%g x)" 644:1000:5 12
expect "$(stat -c %a:%u:%g dir)" 755:1000:5 13
expect "$(stat -c %a:%u:%g .)" 755:1000:5 14
su user -c "chmod a-w f; chmod u+w f; echo x >mine"
su user -c "[ -w f ] && [ ! -x f ]"
grep -q " /mnt/d drvfs rw.*,uid=1000,gid=5,umask=22,fmask=111,dmask=2 " /proc/mounts'
in_guest -u user -b "$drive:/mnt/d" -- 'expect "$(stat -c %u:%g /mnt/d/f)" 1000:1000 15'
in_guest -b "$drive:/mnt/d:ro" -- '
fails touch /mnt/d/f
fails mount -o remount,rw /mnt/d
fails mount -o remount,rw,bind /mnt/d
mount -t drvfs '"$drive"' /tmp
fails touch /tmp/f
umount /tmp
mount --bind /mnt/d /tmp
fails mount -o remount,rw,bind /tmp
fails touch /tmp/f
expect "$(cat /mnt/d/f)" text 16'
# A file that the host removes is not to be written by its name in /proc either.
echo kept >"$drive/gone"
ln "$drive/gone" "$drive/other"
in_guest -b "$drive:/mnt/d:ro" -- '
exec 5</mnt/d/gone
echo open
while [ -e /mnt/d/gone ]; do :; done
fails dd if=/dev/zero of=/proc/self/fd/5 conv=notrunc count=1
cat /proc/self/fd/5 >/dev/null' >"$work/said" &
while kill -0 $! 2>/dev/null && ! grep -q open "$work/said"; do sleep 0.02; done
rm "$drive/gone"
wait $! || { cat "$work/said"; exit 1; }
[ "$(cat "$drive/other")" = kept ]
rm "$drive/other"
# Elsewhere than under /mnt a -b is what it was: the host files with their own modes.
in_guest -b "$drive:/data" -- 'expect "$(stat -c %a:%u /data/f)" 644:0 17; chmod 640 /data/f'
host_is f %a 640
for bad in case=no names=dos uid=x fmask=9 sideways metadata=1; do
    if in_guest -b "$drive:/mnt/d:$bad" -- : 2>"$work/err"; then
        echo "-b with $bad does not fail"
        exit 1
    fi
    grep -q "^lxrun: -b " "$work/err"
done
in_guest -b "$drive:/mnt/d:case=force" -- 'fails cat /mnt/d/F'

# ---- Names whose case does not tell ----

mkdir "$drive/Case" "$drive/Case/Sub"
echo text >"$drive/Case/File"
ln -s ../FILE "$drive/Case/Sub/link"
printf 'a\n' >"$drive/Case/ÄÖ"
printf '#!/bin/sh\necho ran\n' >"$drive/Case/Tool"
chmod 755 "$drive/Case/Tool"
same='
echo text >FILE
expect "$(cat FILE file File)" "text
text
text" 40
expect "$(cat sub/LINK äÖ)" "text
a" 41
expect "$(./TOOL; /mnt/d/CASE/tool)" "ran
ran" 42
expect "$(stat -c %n:%s file)" file:5 43
fails mkdir FILE
fails mkdir sUB
fails ln -s x FILE
fails ln File fiLE
fails cat Filed Fil
echo more >>FILE
echo new >NewName
expect "$(cat newname)" new 44
mv newname NEWNAME
expect "$(echo n* N*)" "n* NEWNAME" 45
mv NewName sub/nEW
expect "$(echo Sub/*)" "Sub/link Sub/nEW" 46
rm SUB/New
mkdir -p MADE/Deep made/deep/ER
expect "$(find . -type d | sort)" ".
./MADE
./MADE/Deep
./MADE/Deep/ER
./Sub" 47
(cd made/DEEP/er && echo x >y && cat ../../../file >/dev/null && rm Y)
mv Made sub
expect "$(echo Sub/*)" "Sub/Made Sub/link" 48
mv sub/made/deep ../case
mv DEEP sub/MADE/deep
expect "$(echo Sub/MADE/*)" Sub/MADE/deep 49
rm -r SUB/made
mv file FiLe
mv fIle File'
in_guest -b "$drive:/mnt/d:case=off" -- "cd /mnt/d/cASE; $same"
in_guest -b "$drive:/mnt/d:case=off,metadata" -- "cd /mnt/D/case 2>/dev/null || cd /mnt/d/case; $same
chmod 700 FILE
chown 1000:1000 file
expect \"\$(su user -c 'cat fILE | head -n 1; id -u')\" \"text
1000\" 50
fails su user -c 'cat TOOL/x'"
[ "$(ls "$drive/Case")" = "$(printf 'File\nSub\nTool\nÄÖ')" ] || { ls "$drive/Case"; exit 1; }
# Two of the host's are two; the one that is written so comes first.
echo lower >"$drive/Case/file"
in_guest -b "$drive:/mnt/d:case=off" -- 'expect "$(cat /mnt/d/case/file)" lower 51
[ "$(cat /mnt/d/case/File)" != lower ]
mkdir /mnt/d/case/point
mount -t tmpfs none /mnt/d/case/point
echo in >/mnt/d/CASE/Point/in
expect "$(cat /mnt/d/case/point/in)" in 52
umount /mnt/d/case/POINT
rmdir /mnt/d/case/POINT'
rm "$drive/Case/file"
# As each directory says; new ones say what theirs does.
cat >"$work/case.c" <<'C'
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
int main(int argc, char **argv)
{
    char c = 0;
    if (argc == 3 && setxattr(argv[1], "system.wsl_case_sensitive", argv[2], strlen(argv[2]), 0))
        return printf("%s\n", strerror(errno)), 0;
    if (getxattr(argv[1], "system.wsl_case_sensitive", &c, 1) != 1)
        return printf("%s\n", strerror(errno)), 0;
    return printf("%c\n", c), 0;
}
C
gcc -static -o "$work/root/bin/sensitive" "$work/case.c"
in_guest -b "$drive:/mnt/d:case=dir" -- '
cd /mnt/d/Case
expect "$(sensitive .)" 1 53
fails cat file
expect "$(sensitive . 0)" 0 54
expect "$(sensitive . 2)" "Invalid argument" 55
expect "$(sensitive File 0)" "Operation not supported" 56
cat file >/dev/null
fails cat ../case/file
mkdir new
mkdir new/sub
expect "$(sensitive NEW/SUB)" 0 57
expect "$(sensitive NEW/SUB 1)" 1 58
echo x >new/SUB/a
echo y >new/sub/A
expect "$(echo new/sub/*)" "new/sub/A new/sub/a" 59
rm -r new
expect "$(sensitive . 1)" 1 60
fails cat file'
in_guest -b "$drive:/mnt/d" -- 'expect "$(sensitive /mnt/d/Case 0)" "Operation not supported" 61'
rm -r "$drive/Case"

# ---- With metadata ----

in_guest -b "$drive:/mnt/d:metadata,uid=1000,umask=22,fmask=11" -- '
cd /mnt/d
expect "$(stat -c %a:%u:%g dir)" 755:1000:0 18
expect "$(stat -c %a:%u:%g x)" 744:1000:0 19
echo new >kept
chmod 4711 kept
chown 7:8 kept
expect "$(stat -c %a:%u:%g kept)" 711:7:8 20
chmod 4711 kept
chmod 755 f
expect "$(stat -c %a:%u:%g f)" 755:1000:0 21
mknod null c 1 3
echo gone >null
ln -s f own
chown -h 9 own
echo root >asis
expect "$(stat -c %a:%u asis)" 644:0 22
mkfifo pipe
mkfifo -m 600 private
chmod 620 private
mv private pipe2
ln pipe pipe3
ln -s f link2'
in_guest -b "$drive:/mnt/d:metadata" -- '
cd /mnt/d
expect "$(stat -c %a:%u:%g kept)" 4711:7:8 23
expect "$(stat -c %u own)" 9 24
expect "$(stat -c %t:%T null)" 1:3 25
expect "$(stat -c %a:%u f)" 755:1000 26
expect "$(stat -c %a:%u:%g pipe pipe2 pipe3 link2 | tr "\n" " ")" "644:0:0 620:0:0 644:0:0 777:0:0 " 26b'
mkfifo -m 640 "$drive/theirs"
in_guest -b "$drive:/mnt/d:metadata,uid=1000,fmask=40" -- '
expect "$(stat -c %a:%u /mnt/d/theirs)" 600:1000 26c
expect "$(stat -c %a:%u /mnt/d/pipe2)" 620:0 26d'
rm "$drive/theirs" "$drive/pipe" "$drive/pipe2" "$drive/pipe3" "$drive/link2"
rm "$drive/kept" "$drive/null" "$drive/own" "$drive/asis"

# ---- /etc/fstab, and mount inside ----

mkdir "$drive/a b" "$drive/a b/sub"
echo inside >"$drive/a b/file"
cat >"$work/root/etc/fstab" <<F
# comment
$drive/a\\040b /srv/spaced drvfs ro,uid=7,defaults 0 0
$drive /mnt/meta drvfs metadata,nofail 0 0
$drive /mnt/not drvfs noauto 0 0
$work/outside /mnt/out drvfs defaults 0 0
$drive/../outside /mnt/up drvfs defaults 0 0
$drive /mnt/odd drvfs case=odd 0 0
$drive /mnt/off drvfs case=off 0 0
proc /proc proc defaults 0 0
F
in_guest -b "$drive:/mnt/d" -- '
expect "$(cat "/srv/spaced/file")" inside 27
expect "$(stat -c %u /srv/spaced/file)" 7 28
fails touch /srv/spaced/file
chown 11 /mnt/meta/dir
expect "$(stat -c %u /mnt/meta/dir)" 11 29
expect "$(stat -c %u /mnt/d/dir)" 0 30
expect "$(stat -c %F /mnt/off/DIR)" directory 62
[ ! -e /mnt/not ]
[ ! -e /mnt/out ]
[ ! -e /mnt/up ]
[ ! -e /mnt/odd ]
mkdir /mnt/m
mount -t drvfs '"$drive"'/dir /mnt/m -o uid=12,metadata
expect "$(stat -c %u /mnt/m)" 11 31
umount /mnt/m
mount -t drvfs '"$drive"' /mnt/m -o uid=12
expect "$(stat -c %u /mnt/m/dir)" 12 32
mount -o remount,uid=13 /mnt/m
expect "$(stat -c %u /mnt/m/dir)" 13 33
umount /mnt/m
for other in '"$work"' '"$drive/../outside"' '"$work/drive2"' / C: ""; do
    fails mount -t drvfs "$other" /mnt/m
done
fails mount -t drvfs '"$drive"'/f /mnt/m
fails mount -t drvfs '"$drive"' /mnt/m -o sideways' 2>"$work/err"
grep -q "fstab: /mnt/out: .* shown by -b" "$work/err"
grep -q "fstab: /mnt/up: .* shown by -b" "$work/err"
grep -q "fstab: /mnt/odd: 'case=odd' is no option of it" "$work/err"
rm "$work/root/etc/fstab"

# ---- Both sides at the same time ----

# A link that leads out of the drive, made by the host in the moment of a look.
mkdir -p "$drive/deep/er/est"
echo one >"$drive/deep/er/est/file"
cat >"$work/root/look" <<'S'
cd /mnt/d
ask() { touch "asked$1"; while [ ! -e "told$1" ]; do sleep 0.01; done; }
for _ in 1 2 3; do cat deep/er/est/file >/dev/null; done
ask 1
expect "$(cat deep/er/est/file 2>&1)" two 34
ask 2
expect "$(stat -c %a deep/er/est/file)" RO_SHOWN 35
ask 3
fails cat deep/er/est/file
ask 4
fails cat deep/er/est/file
mkdir made
mv made made2
echo guest >made2/file
ask 5
S
sed -i "s/RO_SHOWN/$ro_shown/" "$work/root/look"
in_guest -b "$drive:/mnt/d" -- "$(cat "$work/root/look")" >"$work/log" 2>&1 &
guest=$!
answer() { # N: waits for the guest's question, runs the command, says so
    n=$1
    shift
    for _ in $(seq 1000); do
        [ ! -e "$drive/asked$n" ] || break
        kill -0 $guest 2>/dev/null || { cat "$work/log"; exit 1; }
        sleep 0.02
    done
    "$@"
    touch "$drive/told$n"
}
replaced()
{
    mkdir "$drive/other" "$drive/other/est"
    echo two >"$drive/other/est/file"
    mv "$drive/deep/er" "$drive/deep/was"
    mv "$drive/other" "$drive/deep/er"
}
unwritable() { chmod 444 "$drive/deep/er/est/file"; }
gone() { rm -rf "$drive/deep/er"; }
astray() { ln -s "$work" "$drive/deep/er" && mkdir "$work/est" && echo secret >"$work/est/file"; }
seen() { [ "$(cat "$drive/made2/file")" = guest ] && [ ! -e "$drive/made" ]; }
answer 1 replaced
answer 2 unwritable
answer 3 gone
answer 4 astray
answer 5 seen
wait $guest || { cat "$work/log"; exit 1; }

# ---- inotify over the border ----

(
    while [ ! -e "$drive/watched" ]; do sleep 0.02; done
    echo x >"$drive/deep/hostnew"
    mv "$drive/deep/hostnew" "$drive/deep/hostmoved"
    rm "$drive/deep/hostmoved"
) &
guest "inotify in the guest" 40 '
inotifywait -m -q --format "%e %w%f" -o events /mnt/d/deep & watcher=$!
cleanup() { kill $watcher; }
ready() { touch /mnt/d/deep/probe && rm /mnt/d/deep/probe && grep -q probe events; }
wait_for ready
touch /mnt/d/watched
wait_for grep DELETE.*hostmoved events
for event in "CREATE hostnew" "CLOSE_WRITE,CLOSE hostnew" "MOVED_FROM hostnew" "MOVED_TO hostmoved"; do
    grep -qx "${event% *} /mnt/d/deep/${event#* }" events || { echo "missing: $event"; cat events; exit 1; }
done' -b "$drive:/mnt/d"

python3 - "$drive/deep" "$work/ready" >"$work/events" <<'P' &
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0)
assert libc.inotify_add_watch(fd, sys.argv[1].encode(), 0x100 | 0x200 | 0x80 | 0x4 | 0x8) >= 0
open(sys.argv[2], "w").close()
while True:
    data = os.read(fd, 4096)
    while data:
        mask, n = struct.unpack_from("iIII", data)[1::2]
        name = data[16:16 + n].rstrip(b"\0").decode()
        print(hex(mask), name, flush=True)
        if name == "end":
            sys.exit()
        data = data[16 + n:]
P
watcher=$!
while [ ! -e "$work/ready" ]; do sleep 0.02; done
in_guest -b "$drive:/mnt/d" -- 'cd /mnt/d/deep; echo x >g; chmod a-w g; mv g h; rm h; touch end'
wait $watcher
for event in "0x100 g" "0x8 g" "0x4 g" "0x80 h" "0x200 h" "0x100 end"; do
    grep -qx "$event" "$work/events" || { echo "missing: $event"; cat "$work/events"; exit 1; }
done
