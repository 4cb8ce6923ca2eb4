#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the libFuzzer targets of tests/fuzz and runs each for FUZZ_SECONDS (default 20) from a fixed
# seed; what they find goes to build/fuzz/.
# level: test
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/fuzz
mkdir -p $out/seeds-elf $out/seeds-path $out/seeds-rewrite
cp -f build/lxcore /bin/true $out/seeds-elf/ 2>/dev/null || true
[ ! -e /bin/busybox ] || head -c 65536 /bin/busybox >$out/seeds-elf/busybox
# Files with system calls, and code of them; tests/fuzz/rewrite.c says what stands in front.
for source in tests/rewrite/*.in.S; do
    seed=$out/seeds-rewrite/$(basename $source .in.S)
    gcc -nostdlib -static -Wl,-z,noseparate-code -o $out/seed $source
    objcopy -O binary -j .text $out/seed $out/seed.text
    { printf '\000'; cat $out/seed; } >$seed
    { printf '\001\000\020\040\060'; cat $out/seed.text; } >$seed.text
done

# Sources of each target, besides tests/fuzz/NAME.c.
elf_sources="loader/elf.c task/memory.c"
rewrite_sources="rewrite/*.c"
rewrite_options="-lcapstone -lnettle"
path_sources="fs/openwalk.c fs/walk.c fs/walkup.c fs/path.c fs/parent.c fs/dirs.c fs/names.c fs/ways.c fs/where.c fs/mount.c fs/patience.c fs/temps.c fs/files.c host/fmt.c host/str.c"

for name in elf path rewrite; do
    eval "sources=\$${name}_sources options=\${${name}_options--ffreestanding}"
    clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
        -w -iquote include -DLX_BASE=0x7e9000000000 -o $out/$name tests/fuzz/$name.c $sources $options
    $out/$name -seed=1 -max_total_time="${FUZZ_SECONDS:-20}" -max_len=65536 -rss_limit_mb=4096 \
        -artifact_prefix=$out/$name- $out/seeds-$name >$out/$name.log 2>&1 || {
        tail -40 $out/$name.log
        exit 1
    }
    rm -rf $out/tree.*
done
