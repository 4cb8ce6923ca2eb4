// SPDX-License-Identifier: MIT
// getdents64 and getdents: each entry once, with its type, in buffers of any size; seeking by
// d_off.
// covers: getdents64, getdents, lseek
#include "check.h"
#include <dirent.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct entry64 {
    uint64_t ino, off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};

struct entry {
    unsigned long ino, off;
    uint16_t reclen;
    char name[];
};

static int type_in(int dir, const char *name)
{
    char buf[4096];
    int type = -1;
    long n;

    CHECK_EQ(lseek(dir, 0, SEEK_SET), 0);
    while ((n = OK(syscall(SYS_getdents64, dir, buf, sizeof(buf)))) > 0) {
        for (long at = 0; at < n;) {
            struct entry64 *e = (void *)(buf + at);

            if (strcmp(e->name, name) == 0) {
                CHECK_EQ(type, -1); // each name once
                CHECK_EQ(e->ino, stat_of(name).st_ino);
                type = e->type;
            }
            at += e->reclen;
        }
    }
    return type;
}

// The old call has the type in the last byte of the record.
static int old_type_in(int dir, const char *name)
{
    char buf[4096];
    long n;

    CHECK_EQ(lseek(dir, 0, SEEK_SET), 0);
    while ((n = OK(syscall(SYS_getdents, dir, buf, sizeof(buf)))) > 0) {
        for (long at = 0; at < n;) {
            struct entry *e = (void *)(buf + at);

            if (strcmp(e->name, name) == 0)
                return buf[at + e->reclen - 1];
            at += e->reclen;
        }
    }
    return -1;
}

int main(void)
{
    static const struct {
        const char *name;
        int type;
    } all[] = {{".", DT_DIR},    {"..", DT_DIR},  {"file", DT_REG},  {"dir", DT_DIR},
               {"link", DT_LNK}, {"d2", DT_DIR},  {"fifo", DT_FIFO}, {"sock", DT_SOCK},
               {"dead", DT_LNK}, {"hard", DT_REG}};
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "sock"};
    char small[16];
    int dir;

    CHECK_EQ(mkdir("t", 0755), 0);
    CHECK_EQ(chdir("t"), 0);
    put_file("file", "");
    CHECK_EQ(mkdir("dir", 0755) | mkdir("d2", 01777), 0);
    CHECK_EQ(symlink("dir", "link") | symlink("missing", "dead"), 0);
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    CHECK_EQ(link("file", "hard"), 0);
    CHECK_EQ(bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&addr, sizeof(addr)), 0);
    dir = OK(open(".", O_RDONLY | O_DIRECTORY));
    for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
        CHECK_EQ(type_in(dir, all[i].name), all[i].type);
        CHECK_EQ(old_type_in(dir, all[i].name), all[i].type);
    }
    CHECK_EQ(lseek(dir, 0, SEEK_SET), 0);
    CHECK_ERR(syscall(SYS_getdents64, dir, small, sizeof(small)), EINVAL);
    CHECK_ERR(syscall(SYS_getdents, dir, small, sizeof(small)), EINVAL);
    CHECK_ERR(syscall(SYS_getdents64, dir, bad_ptr, 4096), EFAULT);
    CHECK_ERR(syscall(SYS_getdents64, OK(open("file", O_RDONLY)), small, 16), ENOTDIR);
    CHECK_ERR(syscall(SYS_getdents64, 99, small, 16), EBADF);
    CHECK_EQ(unlink("sock") | unlink("file") | unlink("hard") | unlink("fifo"), 0);
    CHECK_EQ(unlink("link") | unlink("dead") | rmdir("dir") | rmdir("d2"), 0);
    CHECK_EQ(rmdir("../t"), 0);
    CHECK_EQ(lseek(dir, 0, SEEK_SET), 0);
    CHECK_ERR(syscall(SYS_getdents64, dir, small, 4096), ENOENT);
    return done();
}
