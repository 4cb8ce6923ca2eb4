#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the libFuzzer targets of tests/fuzz and runs each for FUZZ_SECONDS (default 20) from a fixed
# seed; what they find goes to build/fuzz/.
# level: test
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/fuzz
mkdir -p $out/seeds-elf $out/seeds-path
cp -f build/lxcore /bin/true $out/seeds-elf/ 2>/dev/null || true
[ ! -e /bin/busybox ] || head -c 65536 /bin/busybox >$out/seeds-elf/busybox

# Sources of each target, besides tests/fuzz/NAME.c.
elf_sources="loader/elf.c task/memory.c"
path_sources="fs/walk.c fs/path.c fs/where.c fs/mount.c fs/temps.c fs/files.c host/fmt.c host/str.c"

for name in elf path; do
    eval "sources=\$${name}_sources"
    clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
        -w -ffreestanding -iquote include -o $out/$name tests/fuzz/$name.c $sources
    $out/$name -seed=1 -max_total_time="${FUZZ_SECONDS:-20}" -max_len=65536 -rss_limit_mb=4096 \
        -artifact_prefix=$out/$name- $out/seeds-$name >$out/$name.log 2>&1 || {
        tail -40 $out/$name.log
        exit 1
    }
    rm -rf $out/tree.*
done
