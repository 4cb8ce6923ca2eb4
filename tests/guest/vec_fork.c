// SPDX-License-Identifier: MIT
// The child of fork, vfork and clone starts with its parent's vector and floating-point registers,
// and the parent keeps them. A program started by execve begins with the initial control words.
// covers: fork, vfork, clone, execve, wait4
#include "vec.h"

static void child(const struct vec *in, long nr, long flags)
{
    static struct vec out; // vfork shares it
    pid_t pid;
    int status;

    pid = vec_call(in, &out, nr, flags, 0, 0, 0);
    if (pid == 0) {
        int at = vec_differ(in, &out);

        _exit(at == -1 ? 7 : 8);
    }
    CHECK(pid > 0);
    CHECK(waitpid(pid, &status, __WALL) == pid && WIFEXITED(status));
    CHECK_EQ(WEXITSTATUS(status), 7);
    VEC_CHECK(in, &out);
}

int main(int argc, char **argv)
{
    uint32_t mxcsr = 0x5f80;
    uint16_t fcw = 0x27f;
    struct vec in;

    if (argc > 1) {
        __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(fcw));
        CHECK_EQ(mxcsr, 0x1f80);
        CHECK_EQ(fcw, 0x37f);
        return done();
    }
    for (int i = 0; i < 10; i++) {
        vec_fill(&in, i);
        child(&in, SYS_fork, 0);
        child(&in, SYS_clone, SIGCHLD);
        child(&in, SYS_clone, 0);
    }
    __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(fcw));
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execl");
}
