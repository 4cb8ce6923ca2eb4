// SPDX-License-Identifier: MIT
// seccomp before anything is installed: mode 0, the errors of what cannot be asked for.
// covers: seccomp, prctl
#include "sig.h"
#include <sys/prctl.h>

int main(void)
{
    CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
    CHECK_ERR(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
    CHECK_ERR(syscall(SYS_seccomp, 0 /* strict */, 1, NULL), EINVAL);
    CHECK_ERR(prctl(PR_SET_SECCOMP, 99, 0, 0, 0), EINVAL);
    CHECK(strstr(get_file("/proc/self/status"), "\nSeccomp:\t0\n"));
    CHECK(strstr(get_file("/proc/self/status"), "\nNoNewPrivs:\t0\n"));
    return done();
}
