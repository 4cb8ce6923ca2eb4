#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 900
# A tree with all that VolFs keeps (owners, modes, special files, hard links of each, ACLs,
# attributes, capabilities, times, odd names) is copied by cp, rsync, tar and squashfs: the copies are
# as a native root's are. A container tool packs it as an image, layer on layer, and takes it out.
. tests/apps/common

guest 'copies' 600 '
export DEBIAN_FRONTEND=noninteractive
cleanup() {
    [ $status = 0 ] || tail -n 20 log
    apt-get -q purge -y --autoremove rsync squashfs-tools acl attr umoci >/dev/null 2>&1
}
apt-get -q update >log 2>&1
apt-get -q install -y --no-install-recommends rsync squashfs-tools acl attr libcap2-bin umoci >log 2>&1
mkdir src
cd src
mkdir -m 2775 sg
chown 1500:1500 sg
mkdir -m 1777 st
mkdir -m 0 none
mkdir d
echo a >d/f
chmod 0 d/f
chown 1500 d/f
echo b >d/g
ln d/g d/g2
chown 1500:60 d/g
chmod 4755 d/g
ln -s f d/l
ln d/l sg/l2
chown -h 1500:1501 d/l
ln -s /none d/abs
mkfifo d/p
ln d/p d/p2
chown 1500 d/p2
chmod 620 d/p
mknod d/c c 1 3
mknod d/b b 7 0
ln d/b st/b2
chown 1500 d/b
chmod 640 st/b2
python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"d/s\")"
chown 1500:100 d/s
chmod 600 d/s
setfacl -m u:1500:rwx,g:60:r-x d/f sg d/p
setfacl -d -m u:1500:rwx,g:60:r-x sg
setfattr -n user.x -v hello d/f
setfattr -n trusted.y -v world d
setfattr -h -n trusted.z -v l sg/l2
setfattr -n security.q -v s d/p
cp /bin/true d/capped
setcap cap_net_raw,cap_chown+ep d/capped
printf x >"d/ba:ck\\sl?a*<>|"
printf x >"$(printf "d/new\\nline")"
printf x >"$(printf "d/inv\\377alid")"
truncate -s 10M d/sparse
touch -d @1234567890.123456789 d/g
touch -h -d @1000000000.5 d/l d/abs
touch -d @99999999 d sg
cd ..
# rsync takes times of the same second for the same, also of what it has just made.
find src -newermt @1300000000 -exec touch -h -d @1300000000.75 {} +
chown 1500:1500 src
# view DIR: all that can be seen of it. Of sizes those of directories are the file system own.
list() { (cd $1 && find . -printf "%P|%y|%m|%U|%G|%Y|%l|%T@|%n\n" | LC_ALL=C sort); }
view() {
    list $1
    (cd $1 && getfacl -R -n -P . && getfattr -R -h -P -d -m - . &&
        find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2 &&
        find . "(" -type c -o -type b ")" -exec stat -c "%n %t %T" {} + | LC_ALL=C sort)
}
same() { diff want <(view $1) || { echo "$1 is no copy"; return 1; }; }
view src >want
grep -q "^sg/l2|l|777|1500|1501|" want
grep -q "^d/p2|p|670|1500|0|" want
grep -q "^d/b|b|640|1500|0|" want
[ $(grep -c "^trusted.z=\"l\"" want) = 2 ]
[ $(grep -c "^security.q=\"s\"" want) = 2 ]
getcap src/d/capped | has "cap_chown,cap_net_raw=ep"
cp -a src by-cp
same by-cp
rsync -aHAX src/ by-rsync/
same by-rsync
[ -z "$(rsync -aHAXn --itemize-changes src/ by-cp/)" ]
mv by-cp moved
same moved
rsync -aHAX --link-dest=$PWD/moved src/ linked/
rm -r moved
same linked
# tar and squashfs leave sockets out; tar has no links of FIFOs and nodes.
rm src/d/s
touch -d @99999999 src/d
tars() { view $1 | sed -E "s/^(.*\|[pcb]\|.*)\|[0-9]+$/\1/"; }
for format in gnu pax; do
    mkdir by-$format
    tar -C src --format=$format --numeric-owner $([ $format = gnu ] || echo "--xattrs --xattrs-include=* --acls") -cf $format.tar .
    tar -C by-$format --numeric-owner --xattrs "--xattrs-include=*" --acls -xpf $format.tar
done
diff <(tars src) <(tars by-pax)
brief() { list $1 | sed -E "s/\.[0-9]*\|[0-9]*$//"; } # without parts of seconds, and links
diff <(brief src) <(brief by-gnu)
mksquashfs src s.sqfs -quiet -no-progress >log 2>&1
unsquashfs -q -n -d by-squashfs s.sqfs >log 2>&1
diff <(brief src | grep -v "^|") <(brief by-squashfs | grep -v "^|")
diff <(cd src && getfattr -R -h -P -d -m "^(user|trusted|security)" .) <(cd by-squashfs && getfattr -R -h -P -d -m "^(user|trusted|security)" .)
umoci init --layout image
umoci new --image image:empty
umoci unpack --image image:empty bundle >log 2>&1
cp -a src/. bundle/rootfs
umoci repack --refresh-bundle --image image:one bundle >log 2>&1
rm bundle/rootfs/d/f
chown 5:6 bundle/rootfs/d/g
umoci repack --image image:two bundle >log 2>&1
umoci unpack --image image:one one >log 2>&1
umoci unpack --image image:two two >log 2>&1
owners() { (cd $1 && find . -type b -o -printf "%P|%y|%m|%U|%G|%l\n" | LC_ALL=C sort); }
diff <(owners src) <(owners one/rootfs)
expect "$(diff <(owners one/rootfs) <(owners two/rootfs) | grep "^[<>]")" "< d/f|f|70|1500|0|
< d/g2|f|4755|1500|60|
< d/g|f|4755|1500|60|
> d/g2|f|755|5|6|
> d/g|f|755|5|6|"
mkdir up work merged
mount -t overlay overlay merged -o lowerdir=two/rootfs:one/rootfs,upperdir=up,workdir=work
[ -e merged/d/f ]
rm merged/d/f
[ ! -e merged/d/f ]
expect "$(stat -c %F up/d/f)" "character special file"
umount merged'
