// SPDX-License-Identifier: MIT
// /proc/net/unix shows bound sockets by the names that the guest gave them.
// covers: open, read, bind
#include "sock.h"

static int lines(const char *name)
{
    static char text[1 << 20];
    int fd = OK(open("/proc/net/unix", O_RDONLY)), found = 0;
    size_t len = 0, want = strlen(name);
    ssize_t n;

    while ((n = OK(read(fd, text + len, sizeof(text) - 1 - len))) > 0)
        len += n;
    close(fd);
    text[len] = 0;
    CHECK(strncmp(text, "Num ", 4) == 0);
    for (char *s = text; (s = strchr(s, '\n')) != NULL && *++s;) {
        size_t line = strcspn(s, "\n");

        found +=
            line > want && s[line - want - 1] == ' ' && memcmp(s + line - want, name, want) == 0;
    }
    return found;
}

int main(void)
{
    char path[64], abstract[64];
    int a, b;

    snprintf(path, sizeof(path), "./socket-%d", getpid());
    snprintf(abstract, sizeof(abstract), "@guest-test-%d", getpid());
    CHECK_EQ(lines(path), 0);
    a = unix_listen(path, SOCK_STREAM);
    b = unix_listen(abstract, SOCK_STREAM);
    CHECK_EQ(lines(path), 1);
    CHECK_EQ(lines(abstract), 1);
    CHECK_EQ(close(a) | close(b), 0);
    CHECK_EQ(lines(path), 0);
    CHECK_EQ(lines(abstract), 0);
    return done();
}
