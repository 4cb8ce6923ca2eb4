// SPDX-License-Identifier: MIT
// umask: nine bits, gives the old value, applies to open, mkdir, mknod; shared by threads, copied
// by fork.
// covers: umask, open, mkdir, mknod
#include "sig.h"

static void *thread(void *arg)
{
    CHECK_EQ(umask(0), 027);
    umask(077);
    return arg;
}

int main(void)
{
    pthread_t th;
    pid_t pid;

    umask(0);
    CHECK_EQ(umask(07777), 0);
    CHECK_EQ(umask(0), 0777);
    CHECK_EQ(umask(027), 0);
    close(OK(open("file", O_WRONLY | O_CREAT, 0666)));
    CHECK_EQ(mode_of("file"), 0640);
    CHECK(mkdir("dir", 0777) == 0 && mode_of("dir") == 0750);
    CHECK(mkfifo("fifo", 0777) == 0 && mode_of("fifo") == 0750);
    CHECK(chmod("file", 0666) == 0 && mode_of("file") == 0666); // not chmod
    CHECK(pthread_create(&th, NULL, thread, NULL) == 0 && pthread_join(th, NULL) == 0);
    pid = OK(fork());
    if (pid == 0) {
        CHECK_EQ(umask(0), 077);
        _exit(0);
    }
    wait_ok(pid);
    CHECK_EQ(umask(022), 077);
    CHECK(strstr(get_file("/proc/self/status"), "Umask:\t0022\n"));
    return done();
}
