#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian tree with the applications that tests/apps/ runs, made by apt-get under lxrun:
#
#   apps-root.sh [--fresh] [DIR]    default build/apps; nothing to do when it is there and its
#                                   recipe has not changed
#
# Whoever runs this owns the tree on the host: root, or an ordinary user, who needs no privilege.
# What apt-get and dpkg say goes to DIR.log.
set -eu
cd "$(dirname "$0")/.."

packages="git gcc g++ make cmake python3 perl nodejs golang-go default-jdk-headless sqlite3
postgresql redis-server nginx openssh-server tmux strace gdb sudo musl-tools busybox-static
apache2-utils inotify-tools iproute2 iputils-ping lsof procps psmisc htop systemd"

fresh=
if [ "${1-}" = --fresh ]; then
    fresh=1
    shift
fi
dir=${1:-build/apps}
lxrun=${LXRUN:-build/lxrun}
stamp=$dir.stamp
recipe="2 $(cat build/debian.tar.recipe 2>/dev/null || :) $(echo $packages)"
[ -n "$fresh" ] || [ ! -d "$dir" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$recipe" ] || exit 0

# $1 runs in the tree that is being made.
inside()
{
    "$lxrun" -r "$dir.new" --cd / --clearenv -e HOME=/root -e LC_ALL=C -e TERM=dumb \
        -e DEBIAN_FRONTEND=noninteractive -e PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /bin/sh -c "$1" </dev/null
}

install_packages()
{
    # As in any image: installing a server does not start it. The tests do, on ports of their own.
    inside 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d &&
        apt-get -q update &&
        apt-get -q install -y --no-install-recommends '"$(echo $packages)"' &&
        apt-get -q clean'
}

rm -rf "$dir.new" "$dir.new.stamp" "$stamp"
scripts/rootfs.sh "$dir.new"
rm -f "$dir.new.stamp"
if ! install_packages >"$dir.log" 2>&1; then
    tail -n 40 "$dir.log" >&2
    echo "apps-root.sh: apt-get failed; all of its output is in $dir.log" >&2
    exit 1
fi
rm -rf "$dir.old"
[ ! -e "$dir" ] || mv "$dir" "$dir.old"
mv "$dir.new" "$dir"
echo "$recipe" >"$stamp"
rm -rf "$dir.old"
