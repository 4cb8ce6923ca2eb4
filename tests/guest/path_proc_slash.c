// SPDX-License-Identifier: MIT
// What leads to no directory is ENOTDIR with a slash behind it, and under O_DIRECTORY, also where
// the file itself may not be read.
// covers: readlink, open
// needs: root
#include "check.h"

int main(void)
{
    static const char *const links[] = {"/proc/self/ns/mnt/", "/proc/self/ns/pid/",
                                        "/proc/self/exe/"};
    static const char *const files[] = {"environ", "maps", "mem", "status", "cpuset", "cgroup"};
    char text[100];

    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
        CHECK_ERR(readlink(links[i], text, sizeof(text)), ENOTDIR);
    CHECK(readlink("/proc/self/ns/mnt", text, sizeof(text)) > 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(text, sizeof(text), "/proc/1/%s", files[i]);
        CHECK_ERR(open(text, O_RDONLY | O_DIRECTORY), ENOTDIR);
        snprintf(text, sizeof(text), "/proc/self/%s", files[i]);
        CHECK_ERR(open(text, O_RDONLY | O_DIRECTORY), ENOTDIR);
    }
    return done();
}
