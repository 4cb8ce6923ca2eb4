// SPDX-License-Identifier: MIT
// What a user runs is the program that he is let, also when another process of his puts one that he
// may not run in its place; and whom it makes the process is what that same file says.
// covers: execve, renameat2
// needs: root
#include "race.h"

enum { MINE, ROOTS, SUID };

static const char *const files[] = {"d/mine", "d/roots", "d/suid"};
static char which[] = "Which of them is this program: 0"; // each file says it

// Its own text, as the number-th file.
static void put(int number, mode_t mode, uid_t owner)
{
    static char text[4 << 20];
    int from = OK(open("/proc/self/exe", O_RDONLY));
    ssize_t n = OK(read(from, text, sizeof(text)));
    char *mark = memmem(text, (size_t)n, which, sizeof(which));

    CHECK(mark != NULL);
    mark[sizeof(which) - 2] = (char)('0' + number);
    int to = OK(open(files[number], O_WRONLY | O_CREAT | O_TRUNC, 0600));
    CHECK_EQ(write(to, text, (size_t)n), n);
    CHECK_EQ(close(from) | close(to), 0);
    CHECK_EQ(chown(files[number], owner, owner), 0);
    CHECK_EQ(chmod(files[number], mode), 0);
}

// As the program.
static void is_right(void)
{
    int number = ((volatile char *)which)[sizeof(which) - 2] - '0';

    if (number == ROOTS || geteuid() != (number == SUID ? 0 : 1000))
        fprintf(stderr, "file %d with user %d\n", number, (int)geteuid());
    _exit(number == ROOTS || geteuid() != (number == SUID ? 0 : 1000));
}

int main(int argc, char **argv)
{
    if (argc > 1)
        is_right();
    CHECK_EQ(mkdir("d", 0755), 0);
    put(MINE, 0755, 1000);
    put(ROOTS, 0700, 0);
    put(SUID, 04755, 0);
    CHECK_EQ(chown("d", 1000, 1000), 0);
    pid_t names = OK(fork());
    if (!names) {
        become(1000, 1000);
        for (unsigned i = 0;; i++)
            for (int back = 0; back < 2; back++)
                renameat2(AT_FDCWD, files[MINE], AT_FDCWD, files[1 + i % 2], RENAME_EXCHANGE);
    }
    pid_t user = OK(fork());
    if (!user) {
        become(1000, 1000);
        for (long end = race_ms() + 2 * RACE_MS; race_ms() < end;) {
            pid_t pid = OK(vfork());
            if (!pid) {
                execl("d/mine", "mine", "ran", NULL);
                _exit(errno == EACCES ? 0 : 1);
            }
            wait_ok(pid);
        }
        return done();
    }
    wait_ok(user);
    CHECK_EQ(kill(names, SIGKILL), 0);
    CHECK_EQ(waitpid(names, NULL, 0), names);
    return done();
}
