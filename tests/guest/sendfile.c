// SPDX-License-Identifier: MIT
// sendfile: from a file to a pipe, a socket or a file, with and without an offset of its own.
// covers: sendfile
#include "check.h"
#include <sys/sendfile.h>
#include <sys/socket.h>

int main(void)
{
    char text[16] = "";
    int in, out, s[2], p[2];
    off_t at = 2;

    put_file("f", "0123456789");
    in = OK(open("f", O_RDONLY));
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
    CHECK_EQ(sendfile(s[0], in, &at, 3), 3);
    CHECK_EQ(at, 5);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
    CHECK_EQ(read(s[1], text, sizeof(text)), 3);
    CHECK_STR(text, "234");
    CHECK_EQ(sendfile(s[0], in, NULL, 4), 4);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 4);
    CHECK_EQ(sendfile(s[0], in, NULL, 100), 6);
    CHECK_EQ(sendfile(s[0], in, NULL, 100), 0);
    CHECK_EQ(read(s[1], text, sizeof(text)), 10);
    CHECK(memcmp(text, "0123456789", 10) == 0);

    out = OK(open("g", O_RDWR | O_CREAT, 0600));
    at = 8;
    CHECK_EQ(sendfile(out, in, &at, 100), 2);
    CHECK_STR(get_file("g"), "89");
    CHECK_EQ(pipe(p), 0);
    at = 0;
    CHECK_EQ(sendfile(p[1], in, &at, 1), 1);
    CHECK_EQ(read(p[0], text, 4), 1);

    CHECK_ERR(sendfile(out, p[0], NULL, 1), EINVAL);
    at = -1;
    CHECK_ERR(sendfile(out, in, &at, 1), EINVAL);
    CHECK_ERR(sendfile(in, in, NULL, 1), EBADF);
    CHECK_ERR(sendfile(OK(open("g", O_WRONLY | O_APPEND)), in, NULL, 1), EINVAL);
    CHECK_ERR(sendfile(out, in, bad_ptr, 1), EFAULT);
    CHECK_ERR(sendfile(77, in, NULL, 1), EBADF);
    return done();
}
