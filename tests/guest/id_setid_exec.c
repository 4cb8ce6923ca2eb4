// SPDX-License-Identifier: MIT
// Set-id programs: effective and saved ids from the file, AT_SECURE, not for scripts, not with
// no_new_privs, gone after a write or chown, and the group bit needs an x bit.
// covers: execve, chmod, chown, prctl
// needs: root
#include "exec.h"
#include <grp.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>

// Runs path as user 1000 and gives what it has to say about itself.
static void run(const char *title, const char *path, int nnp)
{
    int st;
    pid_t pid;

    printf("%s: ", title);
    fflush(stdout);
    pid = OK(fork());
    if (pid == 0) {
        if (nnp == 2) // a group that is neither the file system's nor a supplementary one
            CHECK(setgroups(0, NULL) == 0 && setresgid(2000, 5, 0) == 0 && setfsgid(2000) == 5 &&
                  setresuid(1000, 1000, 1000) == 0);
        else
            become(1000, 2000);
        if (nnp)
            CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        execl(path, path, "tell", "all", NULL);
        printf("%s\n", strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    CHECK(waitpid(pid, &st, 0) == pid && st == 0);
}

static void set(int uid, int gid, int mode)
{
    CHECK(chown("prog", uid, gid) == 0 && chmod("prog", mode) == 0);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 2) {
        uid_t r, e, s;
        gid_t g, h, i;

        CHECK(getresuid(&r, &e, &s) == 0 && getresgid(&g, &h, &i) == 0);
        printf("uid %u %u %u gid %u %u %u secure %lu aux %lu %lu dumpable %d\n", r, e, s, g, h, i,
               getauxval(AT_SECURE), getauxval(AT_EUID), getauxval(AT_EGID),
               prctl(PR_GET_DUMPABLE) == 1);
        return 0;
    }

    CHECK(chmod(".", 0777) == 0);
    copy_self("prog", 0755);
    put_script("script", "#!./prog tell\n", 0755);
    set(0, 0, 0755);
    run("plain", "./prog", 0);
    run("another effective group and no_new_privs", "./prog", 2);
    set(0, 0, 0711);
    run("unreadable", "./prog", 0);
    set(0, 0, 04755);
    run("set-uid root", "./prog", 0);
    run("no_new_privs", "./prog", 1);
    CHECK(chmod("script", 04755) == 0);
    set(0, 0, 0755);
    run("set-uid script", "./script", 0);
    set(0, 0, 04755);
    run("script of a set-uid interpreter", "./script", 0);
    set(3000, 4000, 04755);
    run("set-uid user", "./prog", 0);
    set(3000, 4000, 02755);
    run("set-gid", "./prog", 0);
    set(3000, 4000, 06755);
    run("both", "./prog", 0);
    set(3000, 4000, 02745);
    run("set-gid without x for the group", "./prog", 0);
    set(1000, 2000, 06755);
    run("already one's own", "./prog", 0);
    set(3000, 4000, 06755);
    CHECK(chown("prog", 0, 0) == 0);
    run("after chown", "./prog", 0);
    CHECK_EQ(mode_of("prog"), 0755);
    set(0, 0, 04777);
    pid_t pid = OK(fork());
    if (pid == 0) {
        become(1000, 2000);
        int fd = OK(open("prog", O_RDWR));
        char c;

        CHECK(pread(fd, &c, 1, 0) == 1 && pwrite(fd, &c, 1, 0) == 1);
        _exit(0);
    }
    wait_ok(pid);
    run("after a write", "./prog", 0);
    CHECK_EQ(mode_of("prog"), 0777);
    return done();
}
