// SPDX-License-Identifier: MIT
// For tests of overlay mounts: layers l1 (over) l2, an upper directory and a place to see them.
#ifndef GUEST_OVERLAY_H
#define GUEST_OVERLAY_H

#include "mountns.h"
#include <dirent.h>
#include <sys/xattr.h>

// Makes the directories. Natively the layers lie in a tmpfs: the test's directory may itself be one
// that cannot be an upper layer.
static inline void overlay_layers(void)
{
    own_mounts();
    CHECK_EQ(mkdir("base", 0755), 0);
    CHECK_EQ(mount("none", "base", "tmpfs", 0, NULL), 0);
    CHECK_EQ(chdir("base"), 0);
    CHECK_EQ(mkdir("l1", 0755) | mkdir("l2", 0755) | mkdir("up", 0755) | mkdir("work", 0755) |
                 mkdir("m", 0755),
             0);
}

static inline void overlay_mount(void)
{
    CHECK_EQ(mount("o", "m", "overlay", 0, "lowerdir=l1:l2,upperdir=up,workdir=work"), 0);
}

// What follows is in a fresh one. It ends with the last process of the test.
static inline void overlay_enter(void)
{
    overlay_layers();
    overlay_mount();
    CHECK_EQ(chdir("m"), 0);
}

static inline void overlay_end(void)
{
    CHECK_EQ(umount("m"), 0);
    CHECK_EQ(chdir(".."), 0);
    CHECK_EQ(umount("base"), 0);
}

static int name_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The sorted names of a directory, "a b c".
static inline const char *names_of(DIR *d)
{
    static char text[65536];
    char *names[4096];
    int n = 0;
    size_t at = 0;

    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            names[n++] = strdup(e->d_name);
    qsort(names, n, sizeof(*names), name_order);
    text[0] = 0;
    for (int i = 0; i < n; i++) {
        at += snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "", names[i]);
        free(names[i]);
    }
    return text;
}

static inline const char *names_in(const char *path)
{
    DIR *d = opendir(path);
    const char *text;

    CHECK(d != NULL);
    text = names_of(d);
    CHECK_EQ(closedir(d), 0);
    return text;
}

static inline int is_whiteout(const char *path)
{
    struct stat st = stat_of(path);

    return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

#endif
