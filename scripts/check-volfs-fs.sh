#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/check-volfs.py on tmpfs, on images of ext4, XFS and Btrfs and on an overlay of the host, as
# far as the machine can make and mount them, and on ramfs, which has no attributes of users; those
# that it cannot are named.
#
#     scripts/check-volfs-fs.sh [TYPE...]
# level: all
# timeout: 1200
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" = 0 ] || { echo "mounting needs root"; exit 77; }
work=$(mktemp -d /var/tmp/lxrun-fs.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/mnt" "$work/lower" "$work/upper" "$work/work"

# Makes the image, and runs the rest of the arguments with it mounted in a mount namespace.
on()
{
    type=$1
    shift
    truncate -s 512M "$work/image"
    case $type in
    tmpfs | ramfs | overlay) ;;
    ext4) mkfs.ext4 -q -F "$work/image" ;;
    *) "mkfs.$type" -q -f "$work/image" ;;
    esac >/dev/null 2>&1 || { echo "$type: no program to make it"; return 0; }
    unshare -m sh -c '
        type=$1 work=$2
        shift 2
        case $type in
        tmpfs) mount -t tmpfs -o size=512M tmpfs "$work/mnt" ;;
        ramfs) mount -t ramfs ramfs "$work/mnt" && chmod 755 "$work/mnt" ;;
        overlay) mount -t overlay -o "lowerdir=$work/lower,upperdir=$work/upper,workdir=$work/work" o "$work/mnt" ;;
        *) mount -o loop "$work/image" "$work/mnt" ;;
        esac 2>/dev/null || { echo "$type: cannot be mounted here"; exit 0; }
        "$@"' sh "$type" "$work" "$@" || { echo "$type: failed"; return 1; }
}

status=0
[ $# -gt 0 ] || set -- tmpfs ext4 xfs btrfs overlay ramfs
for type; do
    case $type in
    ramfs) options=--beside ;;
    overlay) options="--home /var/tmp" ;; # makes no nodes 0:0 itself
    *) options= ;;
    esac
    # shellcheck disable=SC2086
    on "$type" "$top/scripts/check-volfs.py" --dir "$work/mnt" $options || status=1
    rm -f "$work/image"
done
exit $status
