// SPDX-License-Identifier: MIT
// Things are made through a directory that is exchanged with a link to another one: each lands
// in one of the two, under its name, and nowhere else; a failure leaves nothing.
// covers: open, mkdir, mknod, symlink, link, rename, renameat2, bind
#include "race.h"
#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

static int top;
static long made;

static void attack(unsigned round)
{
    const char *other = round % 2 ? "link" : "absolute";

    CHECK_EQ(renameat2(top, other, top, "x", RENAME_EXCHANGE), 0);
    CHECK_EQ(renameat2(top, "x", top, other, RENAME_EXCHANGE), 0);
}

static void lookup(unsigned round)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char path[64];
    int r, fd;

    if (made > 3000)
        return;
    snprintf(path, sizeof(path), "x/n%u", round);
    switch (round % 6) {
    case 0:
        r = fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0)
            close(fd);
        break;
    case 1:
        r = mkdir(path, 0700);
        break;
    case 2:
        r = symlink("nowhere", path);
        break;
    case 3:
        r = mknod(path, S_IFIFO | 0600, 0);
        break;
    case 4:
        r = link("file", path);
        break;
    default:
        fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        strcpy(addr.sun_path, path);
        r = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
        close(fd);
    }
    CHECK(r >= 0 || errno == ENOENT);
    made += r >= 0;
    race_hits = made;
}

static long entries(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    long n = -2;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL)
        n++;
    closedir(dir);
    return n;
}

int main(void)
{
    char cwd[4096], target[4200];

    CHECK_EQ(mkdir("t", 0755), 0);
    CHECK_EQ(chdir("t"), 0);
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    snprintf(target, sizeof(target), "%s/other", cwd);
    CHECK_EQ(mkdir("x", 0755) | mkdir("other", 0755), 0);
    CHECK_EQ(symlink("../t/other", "link") | symlink(target, "absolute"), 0);
    put_file("file", "");
    top = OK(open(".", O_PATH));
    race_run(attack, lookup);
    CHECK_EQ(entries("x") + entries("other"), made);
    CHECK_EQ(entries("."), 5);
    return done();
}
