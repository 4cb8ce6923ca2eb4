#!/bin/sh
# SPDX-License-Identifier: MIT
# Programs without glibc: static busybox, and musl, static and dynamic.
. tests/apps/common

guest busybox 60 '
bb=/bin/busybox
expect "$($bb echo hello)" hello
ln -s $bb ./sh
ln -s $bb ./ls
expect "$(./ls -d /etc)" /etc
expect "$(./sh -c "x=\$(echo a | tr a b); echo \$x\$?")" b0
mkdir -p tree/a/b
echo text >tree/a/b/f
ln -s f tree/a/b/l
$bb tar -cf t.tar tree
mkdir out
$bb tar -xf t.tar -C out
$bb diff -r tree out/tree
$bb find out -type f | $bb xargs $bb grep -q text
port=$(free_port)
$bb httpd -f -p 127.0.0.1:$port -h $work & server=$!
cleanup() { kill $server; }
wait_for $bb wget -q -O got http://127.0.0.1:$port/tree/a/b/f
cmp got tree/a/b/f
expect "$($bb ash -c "(sleep 0.1; exit 3) & wait \$!; echo \$?")" 3
$bb ps -o pid,comm | has -w "$server busybox"
expect "$($bb stat -c %U /etc/passwd)" root
$bb vi -c ":q" </dev/null >/dev/null 2>&1 || :
expect "$(echo "2^100" | $bb bc)" 1267650600228229401496703205376'

guest musl 60 '
cat >m.c <<"C"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void *wait_for_ever(void *arg) { (void)arg; for (;;) pause(); return 0; }
static void *add(void *arg) { for (int i = 0; i < 100000; i++) __atomic_fetch_add((long *)arg, 1, __ATOMIC_RELAXED); return 0; }
static volatile sig_atomic_t caught;
static void handler(int sig) { caught = sig; }

int main(void)
{
    pthread_t t[8], w;
    long sum = 0;
    void *r;
    pthread_create(&w, 0, wait_for_ever, 0);
    usleep(10000);
    pthread_cancel(w); // by a signal that looks at the interrupted PC
    pthread_join(w, &r);
    for (int i = 0; i < 8; i++) pthread_create(&t[i], 0, add, &sum);
    for (int i = 0; i < 8; i++) pthread_join(t[i], 0);
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    int status = system("exit 5");
    FILE *p = popen("echo from a child", "r");
    char line[50] = "";
    fgets(line, sizeof line, p);
    pclose(p);
    printf("%d %ld %d %d %s", r == PTHREAD_CANCELED, sum, caught == SIGUSR1, WEXITSTATUS(status), line);
    return 0;
}
C
for flags in -static "" "-static -no-pie" -O2; do
    musl-gcc $flags -o m m.c
    expect "$(./m)" "1 800000 1 5 from a child"
done'
