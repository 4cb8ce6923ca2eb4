#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the Debian root filesystem that `make run` and the tests use.
#
#   rootfs.sh [DIR]     unpack into DIR (default build/rootfs); nothing to do when it is fresh
#   rootfs.sh --tar     make only the archive, build/debian.tar
#
# The archive is made once, by mmdebstrap from the machine's own apt sources. It is then unpacked
# by a tar that runs under lxrun as guest root: that records owners and modes as lxrun metadata,
# without privileges on the host.
set -eu
cd "$(dirname "$0")/.."

suite=bookworm
packages="bash coreutils procps python3 gcc libc6-dev"
tarball=build/debian.tar
# The archive's recipe: a change in it makes the archive stale.
recipe="2 $suite $packages"

# Prints the machine's apt entries for Debian's own archive in one-line format, from both the
# one-line and the deb822 files; other vendors' entries are left out.
debian_sources()
{
    python3 - "$suite" <<'PY'
import glob, re, sys

suite = sys.argv[1]
wanted = {suite, suite + "-updates", suite + "-security"}

def entries():
    for name in ["/etc/apt/sources.list"] + sorted(glob.glob("/etc/apt/sources.list.d/*.list")):
        try:
            lines = open(name).read().splitlines()
        except OSError:
            continue
        for line in lines:
            m = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
            if m:
                yield [m[1]], [m[2]], m[3].split()
    for name in sorted(glob.glob("/etc/apt/sources.list.d/*.sources")):
        text = re.sub(r"(?m)^#.*\n", "", open(name).read())
        for stanza in re.split(r"\n\s*\n", text):
            field = {k.lower(): v.split() for k, v in re.findall(
                r"(?m)^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza)}
            if field.get("enabled") == ["no"] or "deb" not in field.get("types", []):
                continue
            yield field.get("uris", []), field.get("suites", []), field.get("components", [])

seen = set()
for uris, suites, components in entries():
    for uri in uris:
        for s in suites:
            line = "deb %s %s %s" % (uri, s, " ".join(components))
            if s in wanted and "main" in components and line not in seen:
                seen.add(line)
                print(line)
PY
}

# Transport settings (proxies, clock tolerance) of this machine's apt, as an apt.conf. They stay
# in the tree, so that apt works inside it as it does outside.
apt_transport()
{
    apt-config dump | grep -E \
        '^Acquire::(http|https|ftp|Retries|ForceIPv[46]|Check-Date|Check-Valid-Until|Languages)\b' || :
}

# Which of mmdebstrap's ways of acting as root works here: real root, a user namespace with
# subordinate ids, or the preloaded fakechroot.
modes()
{
    if [ "$(id -u)" = 0 ]; then
        echo root
        return
    fi
    command -v newuidmap >/dev/null && grep -q "^$(id -un):" /etc/subuid && echo unshare
    command -v fakechroot >/dev/null && echo fakechroot
    :
}

make_tar()
{
    [ -f $tarball ] && [ "$(cat $tarball.recipe 2>/dev/null)" = "$recipe" ] && return
    mkdir -p build
    tmp=$(mktemp -d "${TMPDIR:-/tmp}/lxrun-rootfs.XXXXXX")
    trap 'rm -rf "$tmp"' EXIT
    debian_sources >"$tmp/sources.list"
    apt_transport >"$tmp/apt.conf"
    if [ ! -s "$tmp/sources.list" ]; then
        echo "rootfs.sh: no apt source for Debian $suite on this machine" >&2
        exit 1
    fi
    for mode in $(modes); do
        # /dev stays out: lxrun serves its own.
        if mmdebstrap --mode="$mode" --variant=minbase --format=tar --quiet \
            --include="$(echo $packages | tr ' ' ,)" --aptopt="$tmp/apt.conf" \
            --skip=output/dev "$suite" "$tarball.new" "$tmp/sources.list"; then
            mv "$tarball.new" $tarball
            echo "$recipe" >$tarball.recipe
            return
        fi
    done
    echo "rootfs.sh: mmdebstrap failed (modes tried: $(modes | tr '\n' ' '))" >&2
    exit 1
}

unpack()
{
    dir=$1
    stamp=$dir.stamp
    [ -d "$dir" ] && [ "$stamp" -nt $tarball ] && return
    mkdir -p "$(dirname "$dir")"
    rm -rf "$dir.new"
    mkdir "$dir.new"
    "${LXRUN:-build/lxrun}" --cd "$(realpath "$dir.new")" tar --numeric-owner -xpf "$(realpath $tarball)"
    # No package has it; an installer writes it, and without it localhost has no address.
    [ -e "$dir.new/etc/hosts" ] || printf '127.0.0.1 localhost\n::1 localhost\n' >"$dir.new/etc/hosts"
    # The old tree goes aside first: rename cannot replace a directory that is not empty.
    rm -rf "$dir.old" "$stamp"
    [ ! -e "$dir" ] || mv "$dir" "$dir.old"
    mv "$dir.new" "$dir"
    touch "$stamp"
    rm -rf "$dir.old"
}

make_tar
[ "${1-}" = --tar ] || unpack "${1:-build/rootfs}"
