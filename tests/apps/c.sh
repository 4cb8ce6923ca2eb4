#!/bin/sh
# SPDX-License-Identifier: MIT
# C and C++: gcc, make of many files, a CMake project.
. tests/apps/common

guest gcc 90 '
export ASAN_OPTIONS=detect_leaks=0 # its leak checker traces the process (docs/limits.md)
cat >hello.c <<C
#include <pthread.h>
#include <stdio.h>
static _Thread_local int mine;
static void *work(void *arg) { for (int i = 0; i < 1000; i++) mine++; return (void *)(mine + (long)arg); }
int main(void)
{
    long sum = 0;
    pthread_t t[16];
    void *r;
    for (long i = 0; i < 16; i++) pthread_create(&t[i], 0, work, (void *)i);
    for (int i = 0; i < 16; i++) pthread_join(t[i], &r), sum += (long)r;
    printf("%ld\n", sum);
    return 0;
}
C
for flags in "-O0 -g" "-O2" "-O2 -static" "-O2 -static-pie" "-no-pie" "-fsanitize=undefined" "-fsanitize=address" "-fsanitize=thread"; do
    gcc -Wall -pthread $flags -o hello hello.c
    expect "$(./hello)" 16120
done'

guest make 120 '
for i in $(seq 20); do
    echo "int f$i(int n) { return n + $i; }" >f$i.c
    echo "int f$i(int n);" >>all.h
    calls="${calls-0} + f$i(1)"
done
printf "#include \"all.h\"\n#include <stdio.h>\nint main(void) { printf(\"%%d\\\\n\", %s); return 0; }\n" "$calls" >main.c
cat >Makefile <<"M"
obj := $(patsubst %.c,%.o,$(wildcard *.c))
sum: $(obj)
	gcc -o $@ $^
%.o: %.c all.h
	gcc -O1 -c -o $@ $<
M
make -j4 >log
expect "$(./sum)" 230
expect "$(make)" "make: '"'sum'"' is up to date."
touch f7.c
make -n | grep -c "gcc -O1" | { read n; expect $n 1; }'

guest cmake 180 '
mkdir project && cd project
cat >CMakeLists.txt <<"C"
cmake_minimum_required(VERSION 3.20)
project(sum C CXX)
find_package(Threads REQUIRED)
add_library(sum STATIC sum.c)
add_executable(app main.cpp)
target_link_libraries(app sum Threads::Threads)
enable_testing()
add_test(NAME app COMMAND app)
C
echo "int sum(int a, int b) { return a + b; }" >sum.c
cat >main.cpp <<C
#include <future>
#include <stdexcept>
extern "C" int sum(int, int);
int main()
{
    auto f = std::async(std::launch::async, sum, 2, 3);
    try { throw std::runtime_error("x"); } catch (std::exception &e) { return f.get() != 5; }
    return 1;
}
C
cmake -S . -B build
cmake --build build -j2
ctest --test-dir build --output-on-failure'

# Of a compile's calls over 99.9 % come from rewritten sites, once the compiler is in the cache; lxrun
# says so itself.
guest prepare 60 '
trap - EXIT
rm -rf /tmp/rewritten && mkdir /tmp/rewritten && cd /tmp/rewritten
for i in $(seq 10); do printf "#include <stdio.h>\nint f$i(int n) { return printf(\"%%d\", n + $i); }\n" >f$i.c; done
printf "obj := \$(patsubst %%.c,%%.o,\$(wildcard f*.c))\nlib.a: \$(obj)\n\tar cr \$@ \$^\n" >Makefile
rm -rf $work'
for _ in $(seq 20); do
    stats=$(timeout 60 "$LXRUN" --stats -r "$APPS" --cd /tmp/rewritten make -B 2>&1 >/dev/null </dev/null)
    set -- $(echo "$stats" | sed -n 's/^lxrun: *\([0-9]*\) .*\(system calls\|were trapped\).*/\1/p')
    [ "$1" -gt 5000 ] && [ $(($2 * 1000)) -lt "$1" ] && break
    sleep 1 # the rewriter is at it
done
rm -rf "$APPS/tmp/rewritten"
[ $(($2 * 1000)) -lt "$1" ] || { echo "of $1 calls of a compile $2 were trapped"; exit 1; }
