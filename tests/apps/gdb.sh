#!/bin/sh
# SPDX-License-Identifier: MIT
# gdb inside the guest: breakpoints, steps, watched words, signals, threads, calls of functions, a fault,
# and a process that waits in a call.
. tests/apps/common

guest gdb 200 '
cat >prog.c <<"C"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
static int counter;
static void handler(int sig) { counter += sig; }
static int work(int a) { int b = a * 2; counter += b; return b; }
static void *thread(void *arg) { usleep(1000); work(50); return arg; }
int main(int argc, char **argv)
{
    pthread_t t;
    signal(SIGUSR1, handler);
    for (int i = 0; i < 3; i++)
        work(i);
    raise(SIGUSR1);
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, NULL);
    printf("counter %d\n", counter);
    fflush(stdout);
    if (argc > 1)
        *(volatile char *)8 = 1;
    (void)argv;
    return 0;
}
C
gcc -g -O0 -pthread -o prog prog.c
debug() { timeout 60 gdb -q -batch -nx -iex "set debuginfod enabled off" "$@" </dev/null >out 2>&1 || { cat out; return 1; }; }
saw() { has -E "$1" out || { echo "not seen: $1"; cat out; return 1; }; }
# gdb 13.1 cannot write the vectors of a processor with AMX, natively neither.
amx() { grep -q amx_tile /proc/cpuinfo; }
called() {
    if amx; then saw "$1|^Couldn.t write extended state status: Bad address"; else saw "$1"; fi
}
debug -ex "break work" -ex run -ex "handle SIGUSR1 nostop" -ex bt -ex "print a" -ex finish -ex "info registers rip" -ex delete -ex continue ./prog
saw "^#1 .* in main .*prog.c:14"
saw "^Value returned is .* = 0"
saw "^counter 116"
saw "exited normally"
debug -ex "break handler" -ex "handle SIGUSR1 stop print pass" -ex run -ex continue -ex bt -ex stepi -ex stepi -ex "print counter" \
    -ex "print work(21)" -ex delete -ex continue ./prog
saw "received signal SIGUSR1"
saw "signal handler called"
saw "^.1 = 6$"
called "^.2 = 42$"
saw "exited normally"
debug -ex "handle SIGUSR1 nostop" -ex "break main" -ex run -ex "watch counter" -ex continue -ex continue -ex continue -ex continue -ex "info threads" \
    -ex "thread apply all bt 1" -ex delete -ex continue ./prog
saw "Old value = 16"
saw "New value = 116"
saw "^\* 2 .*work"
saw "counter 116"
debug -ex "handle SIGUSR1 nostop" -ex run -ex bt -ex "print \$_siginfo._sifields._sigfault.si_addr" -ex continue --args ./prog x
saw "received signal SIGSEGV"
saw "main .*prog.c:21"
saw "= \(void \*\) 0x8"
saw "terminated with signal SIGSEGV"
debug -ex "set follow-fork-mode child" -ex "break execve" -ex "catch exec" -ex run -ex continue -ex continue --args sh -c "./prog; true"
saw "Catchpoint .*prog" || saw "exec.d"
sleep 60 & p=$!
asleep() { [ "$(cat /proc/$p/comm)" = sleep ] && grep -q "^State:.S" /proc/$p/status; }
wait_for asleep
debug -p $p -ex bt -ex detach
saw nanosleep
wait_for asleep
debug -p $p -ex "print (int)getpid()" -ex detach
called "= $p$"
# A call that cannot be made leaves the one that waited not to be made again: sleep ends by "Unknown error 516",
# natively, too.
amx || wait_for asleep
kill $p || amx'
