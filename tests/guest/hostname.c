// SPDX-License-Identifier: MIT
// sethostname and setdomainname show in uname and /proc/sys/kernel/hostname, in the own UTS name
// space only; lengths and errors.
// covers: sethostname, setdomainname, uname, unshare
// needs: root
#include "sig.h"
#include <sched.h>
#include <sys/utsname.h>

int main(void)
{
    struct utsname before, un;
    char name[65];
    pid_t pid;

    CHECK(uname(&before) == 0);
    pid = OK(fork());
    if (pid == 0) {
        // Where there are no name spaces, the machine has one name, put back below.
        int own = unshare(CLONE_NEWUTS) == 0;

        CHECK(own || errno == EPERM);
        CHECK(sethostname("guest-name", 10) == 0 && setdomainname("guest-domain", 12) == 0);
        CHECK(uname(&un) == 0);
        CHECK_STR(un.nodename, "guest-name");
        CHECK_STR(un.domainname, "guest-domain");
        CHECK_STR(get_file("/proc/sys/kernel/hostname"), "guest-name\n");
        CHECK(gethostname(name, sizeof(name)) == 0 && strcmp(name, "guest-name") == 0);
        memset(name, 'x', sizeof(name));
        CHECK(sethostname(name, 64) == 0 && uname(&un) == 0 && strlen(un.nodename) == 64);
        CHECK_ERR(sethostname(name, 65), EINVAL);
        CHECK_ERR(syscall(SYS_sethostname, name, -1), EINVAL);
        CHECK_ERR(syscall(SYS_sethostname, 8, 5), EFAULT);
        CHECK(sethostname("", 0) == 0 && uname(&un) == 0 && un.nodename[0] == 0);
        CHECK(sethostname("again", 5) == 0);
        pid = OK(fork());
        if (pid == 0) {
            CHECK(uname(&un) == 0 && strcmp(un.nodename, "again") == 0);
            become(1000, 1000);
            CHECK_ERR(sethostname("other", 5), EPERM);
            CHECK_ERR(setdomainname("other", 5), EPERM);
            _exit(0);
        }
        wait_ok(pid);
        if (!own) {
            CHECK(sethostname(before.nodename, strlen(before.nodename)) == 0);
            CHECK(setdomainname(before.domainname, strlen(before.domainname)) == 0);
        }
        _exit(0);
    }
    wait_ok(pid);
    CHECK(uname(&un) == 0 && strcmp(un.nodename, before.nodename) == 0);
    return done();
}
