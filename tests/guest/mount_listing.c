// SPDX-License-Identifier: MIT
// Directory listings around mounts: the mount point stands once in its parent, the mount shows its
// own entries, and both show . and .. .
// covers: getdents64, mount, umount2
// needs: root
#include "mountns.h"
#include <dirent.h>

// "name:type " for each entry but . and .., in the order of a..z; checks the two dots.
static const char *list(const char *path)
{
    static char text[256];
    char types[26] = {0};
    DIR *dir = opendir(path);
    struct dirent *e;
    int dots = 0;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL) {
        if (e->d_name[0] == '.') {
            dots++;
            continue;
        }
        CHECK(e->d_name[0] >= 'a' && e->d_name[0] <= 'z' && e->d_name[1] == 0);
        CHECK_EQ(types[e->d_name[0] - 'a'], 0);
        types[e->d_name[0] - 'a'] = e->d_type == DT_DIR ? 'd' : e->d_type == DT_REG ? 'f' : '?';
    }
    closedir(dir);
    CHECK_EQ(dots, 2);
    text[0] = 0;
    for (int i = 0; i < 26; i++)
        if (types[i])
            sprintf(text + strlen(text), "%c:%c ", 'a' + i, types[i]);
    return text;
}

int main(void)
{
    own_mounts();
    CHECK_EQ(mkdir("t", 0755) | mkdir("t/m", 0755) | mkdir("t/n", 0755), 0);
    put_file("t/f", "");
    put_file("t/m/u", "");
    CHECK_STR(list("t"), "f:f m:d n:d ");
    CHECK_EQ(mount("none", "t/m", "tmpfs", 0, NULL), 0);
    CHECK_STR(list("t/m"), "");
    put_file("t/m/x", "");
    CHECK_EQ(mkdir("t/m/y", 0755), 0);
    CHECK_STR(list("t/m"), "x:f y:d ");
    CHECK_STR(list("t"), "f:f m:d n:d ");
    CHECK_EQ(mount("t/m", "t/n", NULL, MS_BIND, NULL), 0);
    CHECK_STR(list("t/n"), "x:f y:d ");
    CHECK_EQ(mount("t/m/x", "t/f", NULL, MS_BIND, NULL), 0);
    CHECK_STR(list("t"), "f:f m:d n:d ");
    CHECK_STR(list("t/n/.."), "f:f m:d n:d ");
    CHECK_EQ(umount2("t/f", 0) | umount2("t/n", 0) | umount2("t/m", 0), 0);
    CHECK_STR(list("t/m"), "u:f ");
    return done();
}
