// SPDX-License-Identifier: MIT
// Socket paths up to all 108 bytes of sun_path, absolute and relative, in deep directories and
// through links: the guest's name counts, however long the real place is.
// covers: bind, connect, getsockname, getpeername, accept
#include "sock.h"

// Binds, connects and looks at both names.
static void works(const char *name)
{
    int srv = unix_listen(name, SOCK_STREAM), cli = OK(socket(AF_UNIX, SOCK_STREAM, 0)), con;

    CHECK_EQ(unix_connect(cli, name), 0);
    con = OK(accept(srv, NULL, NULL));
    CHECK_EQ(send(cli, "hello", 5, 0), 5);
    says(con, "hello");
    unix_name_is(srv, name);
    unix_peer_is(cli, name);
    unix_name_is(con, name);
    close(srv);
    close(cli);
    close(con);
}

int main(void)
{
    char name[128] = "", dir[101], cwd[4096];

    memset(name, 'n', 107);
    works(name);
    CHECK(S_ISSOCK(stat_of(name).st_mode));
    // All 108 bytes, without a NUL: the kernel knows the length.
    memset(name, 'm', 108);
    name[108] = 0;
    works(name);
    CHECK(S_ISSOCK(stat_of(name).st_mode));

    // An absolute path of 107 bytes, as far as the directory leaves room.
    CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
    if (strlen(cwd) < 100) {
        snprintf(name, sizeof(name), "%.100s/", cwd);
        memset(name + strlen(name), 'a', 107 - strlen(name));
        name[107] = 0;
        works(name);
    }

    // 500 bytes below, by relative names.
    memset(dir, 'd', 100);
    dir[100] = 0;
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(mkdir(dir, 0755), 0);
        CHECK_EQ(chdir(dir), 0);
    }
    works("s");
    works("./t");
    CHECK_EQ(symlink(".", "here"), 0);
    works("here/../u");
    CHECK(S_ISSOCK(stat_of("../u").st_mode));
    snprintf(name, sizeof(name), "../%s/v", dir);
    works(name);
    CHECK(S_ISSOCK(stat_of("v").st_mode));
    return done();
}
