// SPDX-License-Identifier: MIT
// A program cannot be written from the moment that posix_spawn has started it.
// covers: open, truncate, vfork
// timeout: 60
#include "exec.h"
#include <spawn.h>

int main(int argc, char **argv)
{
    char c;
    int hold[2], status;

    if (argc > 1)
        return read(0, &c, 1) != 0;
    copy_self("prog", 0755);
    for (int i = 0; i < 200; i++) {
        char *args[] = {argv[0], "wait", NULL};
        posix_spawn_file_actions_t actions;
        pid_t pid;
        OK(pipe2(hold, O_CLOEXEC));
        CHECK(!posix_spawn_file_actions_init(&actions));
        CHECK(!posix_spawn_file_actions_adddup2(&actions, hold[0], 0));
        CHECK_EQ(posix_spawn(&pid, "./prog", &actions, NULL, args, NULL), 0);
        CHECK_ERR(i % 2 ? open("prog", O_WRONLY) : truncate("prog", 0), ETXTBSY);
        CHECK(!posix_spawn_file_actions_destroy(&actions));
        CHECK(!close(hold[1]) && !close(hold[0]));
        CHECK(OK(waitpid(pid, &status, 0)) == pid && status == 0);
    }
    // As soon as nobody runs it.
    CHECK(!close(OK(open("prog", O_WRONLY))));
    return 0;
}
