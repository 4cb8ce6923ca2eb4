// SPDX-License-Identifier: MIT
// What the files of the micro benchmark share: micro.c chooses, calibrates and times; the others
// hold the workloads.
#ifndef LXRUN_BENCH_MICRO_H
#define LXRUN_BENCH_MICRO_H

// One workload. `run` does the operation n times and dies when one of them fails; `prepare`, if
// any, is not timed. Both run in a fresh directory that is removed afterwards.
struct work {
    const char *name;
    void (*run)(long n);
    void (*prepare)(void);
};

// Each ends with an entry without a name.
extern const struct work call_works[], file_works[], ipc_works[], process_works[];

// The absolute path of the fresh directory, and of this program.
extern char directory[], self[];

// Ends the program with status 1 and a message that has the error number's text.
_Noreturn void die(const char *what);

// An operation that must succeed (a result of -1 is failure).
#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) == -1)                                                                          \
            die(#call);                                                                            \
    } while (0)

// A system call as libc's own wrappers make it: the number, then the instruction. (libc's syscall()
// is another matter, and a workload of its own.) The result is the kernel's: -errno on failure.
#define RAW(number, a, b, c, d)                                                                    \
    ({                                                                                             \
        register long fourth __asm__("r10") = (long)(d);                                           \
        long result;                                                                               \
        __asm__ volatile("mov %1, %%eax\n\tsyscall"                                                \
                         : "=&a"(result)                                                           \
                         : "i"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)                        \
                         : "rcx", "r11", "memory");                                                \
        result;                                                                                    \
    })

// Keeps this thread and what it starts on one processor: the partners of a ping-pong then take
// turns, wherever the scheduler would have put them.
void stay_on_one_cpu(void);

#endif
