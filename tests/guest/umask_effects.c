// SPDX-License-Identifier: MIT
// umask: its own values, what it takes from new files, and what it leaves alone.
// covers: umask, open, mkdir, mknod, chmod, symlink, fork, execve
#include "check.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static void *set(void *arg)
{
    CHECK_EQ(umask(033), 077);
    return arg;
}

int main(int argc, char **argv)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "sock"};
    pthread_t thread;
    struct stat st;

    if (argc > 1) {
        CHECK_EQ(umask(0), 0357);
        return done();
    }
    umask(0);
    CHECK_EQ(umask(0177777), 0);
    CHECK_EQ(umask(027), 0777);
    close(OK(open("f", O_RDWR | O_CREAT, 0777)));
    CHECK_EQ(mode_of("f"), 0750);
    close(OK(open("g", O_RDWR | O_CREAT, 07777)));
    CHECK_EQ(mode_of("g"), 07750);
    CHECK_EQ(mkdir("d", 0777), 0);
    CHECK_EQ(mode_of("d"), 0750);
    CHECK_EQ(mknod("p", S_IFIFO | 0666, 0), 0);
    CHECK_EQ(mode_of("p"), 0640);
    CHECK_EQ(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&addr, sizeof(addr)), 0);
    CHECK_EQ(mode_of("sock"), 0750);
    CHECK_EQ(fstat(OK(open(".", O_TMPFILE | O_RDWR, 0666)), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0640);

    CHECK_EQ(symlink("x", "s"), 0);
    CHECK_EQ(mode_of("s"), 0777);
    CHECK_EQ(chmod("f", 0777), 0);
    CHECK_EQ(mode_of("f"), 0777);
    close(OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0666)));
    CHECK_EQ(mode_of("f"), 0777);
    CHECK_EQ(fstat(OK(memfd_create("m", 0)), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0777);

    // Shared by threads, copied by fork, kept by exec.
    CHECK_EQ(umask(077), 027);
    CHECK_EQ(pthread_create(&thread, NULL, set, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQ(umask(0), 033);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(umask(0357), 033);
    execl("/proc/self/exe", argv[0], "again", NULL);
    CHECK(!"execve came back");
}
