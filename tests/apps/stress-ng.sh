#!/bin/sh
# SPDX-License-Identifier: MIT
# stress-ng's stressors under lxrun, one second each with --verify. A stressor fails when lxcore
# crashes, or when its verification fails under lxrun and not natively.
# level: all
# timeout: 1500
set -u

# Left out: what can take the machine down or fill it (memory hogs, clocks, CPU hotplug, swap, raw
# devices, reboot), and what a table row refuses (docs/syscalls.md): bpf, io_uring, keys, ptrace (vm-segv),
# namespaces, userfaultfd, fanotify, modules. And cap, which asks for the capabilities of process 1:
# an instance has none.
stressors="access affinity aio alarm atomic bad-altstack branch bsearch cache chattr chdir chmod
chown chroot clock clone close context copy-file cpu crypt cyclic daemon dekker dentry dev-shm dir
dirdeep dirmany dnotify dup dynlib env epoll eventfd exec exit-group fallocate far-branch fault fcntl
fiemap fifo file-ioctl filename flock fork fp fp-error fpunch fsize fstat full funccall funcret futex
get getdent getrandom goto handle hash heapsort hrtimers hsearch icache inode-flags inotify io
itimer jpeg judy kcmp kill l1cache lease link list locka lockf lockofd longjmp loop lsearch madvise
matrix membarrier memcpy memfd memrate mergesort mincore misaligned mknod mlock mmapaddr mmapfixed
mmapfork mprotect mq mremap msg msync mutex nanosleep netlink-proc nice nop null open pagemove
peterson pidfd ping-sock pipe pipeherd pkey poll prctl priv-instr procfs pthread pty qsort radixsort
randlist readahead regs remap rename resched revio ring-pipe rlimit rotate rseq schedpolicy seal seek
sem sem-sysv sendfile session set shellsort shm shm-sysv sigabrt sigchld sigfd sigfpe sigio signal
signest sigpending sigpipe sigq sigrt sigsegv sigsuspend sigtrap skiplist sleep sock sockdiag sockfd
sockpair sockmany spawn sparsematrix splice stackmmap str stream switch symlink sync-file
sysbadaddr sysinfo tee timer timerfd tlb-shootdown touch tree tsc tsearch udp unshare urandom utime
vdso vecmath vecshuf vecwide vfork vforkmany vm-addr vm-rw vm-splice wait wcs x86cpuid
x86syscall xattr yield zero zlib zombie"

run()
{
    rm -rf "$APPS/tmp/stress" && mkdir -p "$APPS/tmp/stress"
    timeout 60 "$LXRUN" -r "$APPS" --cd /tmp/stress stress-ng --"$1" 2 --verify -t 1 \
        --no-rand-seed >"$TMPDIR/out" 2>&1
}

natively()
{
    (cd "$TMPDIR" && PATH=$PATH:$TMPDIR timeout 60 stress-ng --"$1" 2 --verify -t 1 \
        --no-rand-seed >"$TMPDIR/native" 2>&1)
}

if [ ! -x "$APPS/usr/bin/stress-ng" ]; then
    timeout 300 "$LXRUN" -r "$APPS" sh -c 'export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update && apt-get -qq install -y --no-install-recommends stress-ng' \
        >"$TMPDIR/apt" 2>&1 || { cat "$TMPDIR/apt"; exit 1; }
fi
failed=0
for s in ${STRESSORS:-$stressors}; do
    run "$s"
    status=$?
    # 0 passed; 3 not implemented here, 4 no resource, 5 not supported by this build
    case $status in 0 | 3 | 4 | 5) ;; *)
        if command -v stress-ng >/dev/null && ! natively "$s"; then
            continue # fails on this machine's own kernel too
        fi
        failed=$((failed + 1))
        echo "$s: status $status"
        tail -8 "$TMPDIR/out"
        ;;
    esac
    if grep -q 'lxrun: internal error' "$TMPDIR/out"; then
        failed=$((failed + 1))
        echo "$s: lxcore crashed"
        grep 'lxrun: internal error' "$TMPDIR/out" | head -3
    fi
done
exit $((failed > 0))
