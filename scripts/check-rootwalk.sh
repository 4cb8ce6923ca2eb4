#!/bin/sh
# SPDX-License-Identifier: MIT
# What takes the place of openat2 in lxrun on hosts before Linux 5.6 finds what openat2 finds, and
# nothing outside (tests/volfs/rootwalk.c).
# level: test
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d /var/tmp/lxrun-rootwalk.XXXXXX)
trap 'rm -rf "$work"' EXIT
gcc -std=gnu11 -O1 -Wall -Wextra -iquote include -iquote cli -o "$work/rootwalk" tests/volfs/rootwalk.c cli/rootwalk.c
mkdir "$work/tree"
seed=$(date +%s)
"$work/rootwalk" "$work/tree" "$seed" || { s=$?; [ $s = 77 ] || echo "seed $seed"; exit $s; }
