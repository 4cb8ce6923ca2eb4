// SPDX-License-Identifier: MIT
// Numbers that are no system call: the highest, negative ones, those with bits above 32 (which the
// kernel does not look at), the x32 bit, gaps in the table; each ENOSYS, none harmful.
// covers: getppid
#include "rawcall.h"
#include "sig.h"

int main(void)
{
    CHECK_EQ(raw(-1), -ENOSYS);
    CHECK_EQ(raw(-2), -ENOSYS);
    CHECK_EQ(raw(-512), -ENOSYS);
    CHECK_EQ(raw(1000), -ENOSYS);
    CHECK_EQ(raw(1 << 30), -ENOSYS);
    CHECK_EQ(raw(0x7fffffff), -ENOSYS);
    CHECK_EQ(raw(0x80000000), -ENOSYS);
    CHECK_EQ(raw(0xffffffff), -ENOSYS);
    CHECK_EQ(raw(1ul << 32 | SYS_getppid), getppid()); // the upper half is cut off
    for (int nr = 337; nr < 424; nr++)
        CHECK_EQ(raw(nr, -1, -1, -1), -ENOSYS);
    for (int nr = 475; nr < 600; nr++)
        CHECK_EQ(raw(nr, -1, -1, -1), -ENOSYS);
    for (int nr = 0; nr < 550; nr++)
        if (nr < 300 || nr >= 512)
            CHECK_EQ(raw(0x40000000 | nr, -1, -1, -1, -1, -1, -1), -ENOSYS); // x32
    CHECK_EQ(raw(180), -ENOSYS);                                             // nfsservctl, gone
    CHECK_EQ(raw(156), -ENOSYS);                                             // _sysctl
    return done();
}
