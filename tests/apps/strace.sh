#!/bin/sh
# SPDX-License-Identifier: MIT
# strace inside the guest: it shows the guest's calls and nothing of lxcore.
. tests/apps/common

guest strace 100 '
strace -o out true 2>err || { cat err; exit 1; }
grep -q "^execve(\"/usr/bin/true\"" out
grep -q "exited with 0" out
not grep -E "SIGSYS|openat2\([0-9]|SIGSTOP|SIGTRAP" out
# The first line says how, the last that it ended; between them each line is a call with its result.
sed "1d;\$d" out | not grep -vE "^[a-z_0-9]+\(.*\) += (-?[0-9]|0x|\?)"
strace -f -c -o out sh -c "ls >/dev/null; ls >/dev/null"
grep -q openat out
strace -f -o out sh -c "echo x | cat >/dev/null; true & wait"
[ "$(grep -c "exited with 0" out)" = 4 ]
grep -q "SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED" out
# Only some calls, by a filter; a call that fails because strace says so.
strace -f --seccomp-bpf -o out -e trace=openat sh -c "cat /etc/hostname >/dev/null"
grep -q "openat(AT_FDCWD, \"/etc/hostname\"" out
not grep "mmap" out
not strace -o out -P /etc/hostname -e inject=openat:error=EIO cat /etc/hostname 2>err
grep -q "EIO (Input/output error) (INJECTED)" out
# Attached to one that waits.
sleep 30 & p=$!
strace -o out -p $p 2>err & s=$!
wait_for grep -q attached err
kill $p
wait $s || true
grep -q "SIGTERM" out
grep -q "killed by SIGTERM" out
# The leak checker stops its own threads.
printf "#include <stdlib.h>\nint main(void) { volatile char *p = malloc(77); p = 0; return 0; }\n" >leak.c
gcc -fsanitize=address -o leak leak.c
{ ! ./leak 2>err; }
grep -q "77 byte(s) leaked" err'
