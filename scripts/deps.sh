#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages that building and testing need; nothing when all are there.
set -eu

packages="gcc make libc6-dev linux-libc-dev bindfs busybox-static musl-tools mmdebstrap python3
git fakechroot fakeroot clang clang-format clang-tidy libclang-rt-14-dev libcapstone-dev nettle-dev
libext2fs-dev e2fsprogs qemu-system-x86 user-mode-linux"

missing=
for p in $packages; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "deps.sh: packages are missing; install them as root: apt-get install$missing" >&2
    exit 1
fi

$as_root apt-get -qq update
$as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends $missing
