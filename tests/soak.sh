#!/bin/bash
# SPDX-License-Identifier: MIT
# `make soak`: an hour (SOAK_MINUTES) of mixed work below one long-lived guest shell. Processes,
# descriptors and memory of the instance must be the same at the end as after the first rounds.
set -u
[ $# -eq 0 ] || { echo "usage: [SOAK_MINUTES=N] tests/soak.sh" >&2; exit 2; }
cd "$(dirname "$0")/.." || exit 1

minutes=${SOAK_MINUTES:-60}
root=build/rootfs
[ ! -d build/apps ] || root=build/apps # the tree with git, where it was made
warm_up=3           # rounds until caches and heaps have their size
growth_allowed=1024 # KiB of anonymous memory over the whole run
marker=LXRUN_SOAK=$$.$RANDOM
export XDG_CACHE_HOME=$PWD/build/cache

# The guest works one round for each line that it reads, and answers with the round's status.
guest='
cd /root || exit 1
one_round()
(
    set -eu
    dir=$(mktemp -d)
    trap "rm -rf $dir" EXIT
    cd $dir

    cat >threads.c <<C
#include <pthread.h>
#include <stdio.h>
static void *work(void *arg) { long n = 0; for (long i = 0; i < 1000000; i++) n += i ^ (long)arg; return (void *)n; }
int main(void)
{
    pthread_t t[8];
    for (long i = 0; i < 8; i++) pthread_create(&t[i], 0, work, (void *)i);
    for (int i = 0; i < 8; i++) pthread_join(t[i], 0);
    return puts("ok") < 0;
}
C
    gcc -O1 -pthread -o threads threads.c
    [ "$(./threads)" = ok ]

    python3 - <<PY
import asyncio, multiprocessing, subprocess, sys, threading
def square(n): return n * n
with multiprocessing.Pool(2) as pool:
    assert sum(pool.map(square, range(1000))) == 332833500
async def sleepers(): await asyncio.gather(*(asyncio.sleep(0.01) for _ in range(50)))
asyncio.run(sleepers())
threads = [threading.Thread(target=subprocess.run, args=(["true"],)) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
PY

    [ "$(seq 20000 | sort -R | sort -n | md5sum)" = "$(seq 20000 | md5sum)" ]
    for i in $(seq 100); do /bin/true; done
    tar -cf - -C /usr/include . | tar -tf - | wc -l >/dev/null
    mkdir -p tree/{a,b,c}/{1,2,3}
    for d in tree/*/*; do echo $d >$d/file; chmod 640 $d/file; ln $d/file $d/link; done
    mv tree moved
    [ $(find moved -type f | wc -l) = 18 ]

    if command -v git >/dev/null; then
        git init -q repo
        cp -r moved repo
        git -C repo add .
        git -C repo -c user.name=soak -c user.email=soak@localhost commit -q -m soak
        git clone -q repo clone
        git -C clone gc -q
        git -C clone fsck --no-progress
    fi
)
while read -r line; do
    one_round >&2
    echo $?
done'

# Pids of the instance: whatever carries our marker.
pids()
{
    grep -lsFz "$marker" /proc/[0-9]*/environ | cut -d/ -f3
}

# Sets processes, descriptors and anonymous memory (KiB).
sample()
{
    local pid
    processes=0 descriptors=0 memory=0
    for pid in $(pids); do
        processes=$((processes + 1))
        descriptors=$((descriptors + $(ls "/proc/$pid/fd" 2>/dev/null | wc -l)))
        memory=$((memory + $(awk '/^Anonymous:/ { n += $2 } END { print n + 0 }' \
            "/proc/$pid/smaps_rollup" 2>/dev/null || echo 0)))
    done
    echo "round $rounds: $processes processes, $descriptors descriptors, $memory KiB"
}

coproc instance {
    exec env "$marker" build/lxrun --root $root -e HOME=/root -e LANG=C.UTF-8 \
        -e PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/bash -c "$guest"
}
instance_pid=$instance_PID

failed=0
rounds=0
end=$((SECONDS + minutes * 60))
while [ $rounds -le $warm_up ] || [ $SECONDS -lt $end ]; do
    if ! echo go >&"${instance[1]}" || ! read -r status <&"${instance[0]}" || [ "$status" != 0 ]; then
        echo "round $rounds failed (${status:-the instance is gone})"
        failed=1
        break
    fi
    if compgen -G 'tests/guest/*storm*.c' >/dev/null &&
        ! storm=$(tests/run.py 'guest/*storm*' 2>&1); then
        echo "round $rounds: the signal storm failed: $storm"
        failed=1
    fi
    rounds=$((rounds + 1))
    if [ $rounds = $warm_up ]; then
        sample
        first=($processes $descriptors $memory)
    fi
done

if [ "${status:-}" = 0 ]; then
    sample
    if [ "$processes" != "${first[0]}" ] || [ "$descriptors" != "${first[1]}" ] ||
        [ "$memory" -gt $((first[2] + growth_allowed)) ] || [ "$processes" = 0 ]; then
        echo "not flat"
        failed=1
    fi
fi

exec {instance[1]}>&-
wait "$instance_pid" || failed=1
sleep 1
left=$(pids)
if [ -n "$left" ]; then
    echo "left behind: $left"
    kill -KILL $left
    failed=1
fi
[ $failed = 0 ] && echo "soak: $rounds rounds, flat" || echo "soak: FAILED after $rounds rounds"
exit $failed
