// SPDX-License-Identifier: MIT
// A process killed while it changes an overlay leaves each name as before or as after: no half
// copied file, nothing lost, nothing that was hidden to be seen again.
// covers: mount, chmod, unlink, mkdir, open, rename, kill
// needs: root
// timeout: 60
#include "overlay.h"

#define ROUNDS 240
#define SIZE 20000

static char content[SIZE], name[64], other[64];
static int was[2];

static void check_content(const char *path)
{
    static char got[SIZE + 1];
    int fd = OK(open(path, O_RDONLY));

    CHECK_EQ(read(fd, got, sizeof(got)), SIZE);
    CHECK_EQ(memcmp(got, content, SIZE), 0);
    CHECK_EQ(close(fd), 0);
}

static int there(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0)
        return 1;
    CHECK_EQ(errno, ENOENT);
    return 0;
}

static void act(int op)
{
    switch (op) {
    case 0:
        chmod(name, 0640);
        break;
    case 1:
        unlink(name);
        break;
    case 2:
        rename(name, other);
        break;
    case 3: // over a whiteout, as the next
        mkdir(name, 0750);
        break;
    default:
        open(name, O_WRONLY | O_CREAT | O_EXCL, 0640);
    }
    _exit(0);
}

static void look(int op)
{
    int done = there(name);

    switch (op) {
    case 0:
        check_content(name);
        CHECK(mode_of(name) == 0644 || mode_of(name) == 0640);
        done = mode_of(name) == 0640;
        break;
    case 1:
        if (there(name))
            check_content(name);
        done = !done;
        break;
    case 2:
        CHECK_EQ(there(name) + there(other), 1);
        check_content(there(name) ? name : other);
        done = !done;
        break;
    case 3:
        if (done) {
            CHECK_EQ(mode_of(name), 0750);
            CHECK_STR(names_in(name), "");
        }
        break;
    default:
        if (done) {
            CHECK_EQ(mode_of(name), 0640);
            CHECK_EQ(stat_of(name).st_size, 0);
        }
    }
    was[done]++;
}

int main(void)
{
    unsigned long random = 1;
    struct timespec t;

    overlay_layers();
    memset(content, 'c', SIZE);
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof(name), "l2/%d", i);
        int fd = OK(open(name, O_WRONLY | O_CREAT, 0644));
        CHECK_EQ(write(fd, content, SIZE) - SIZE, close(fd));
    }
    overlay_mount();
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(name, sizeof(name), "m/%d", i);
        snprintf(other, sizeof(other), "m/to%d", i);
        if (i % 5 >= 3)
            CHECK_EQ(unlink(name), 0);
        pid_t child = fork();
        if (child == 0)
            act(i % 5);
        random = random * 6364136223846793005UL + 1;
        t = (struct timespec){0, (random >> 40) % 900000};
        nanosleep(&t, NULL);
        kill(child, SIGKILL);
        CHECK_EQ(waitpid(child, NULL, 0), child);
        look(i % 5);
        // Nor is anybody else in the way of the next.
        if (there(name))
            CHECK_EQ(S_ISDIR(stat_of(name).st_mode) ? rmdir(name) : unlink(name), 0);
        CHECK(!there(name));
    }
    fprintf(stderr, "%d before, %d after\n", was[0], was[1]);
    overlay_end();
    return done();
}
