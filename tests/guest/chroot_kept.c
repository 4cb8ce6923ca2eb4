// SPDX-License-Identifier: MIT
// The root that chroot has set is a directory: absolute paths and links begin there when it, or one
// above it, has got another name, when another has its place, and when something is mounted over
// one above it; with a mount in it, in a thread, in a chroot below, and after execve.
// covers: chroot, getcwd, execve, mount
// needs: root
#include "mountns.h"
#include <pthread.h>
#include <stdbool.h>
#include <sys/sendfile.h>

static int go[2], done_[2];
static bool mounted; // something on /m

static void look(void)
{
    char text[4096];
    CHECK_STR(get_file("/here"), "here");
    CHECK_STR(get_file("/d/../here"), "here");
    CHECK_STR(get_file("/abs"), "here");
    CHECK_STR(get_file("abs"), "here");
    CHECK_STR(get_file("/../../here"), "here");
    CHECK_ERR(access("/secret", F_OK), ENOENT);
    CHECK_ERR(access("/../secret", F_OK), ENOENT);
    CHECK_ERR(access("/d/../../secret", F_OK), ENOENT);
    CHECK_ERR(access("../secret", F_OK), ENOENT);
    put_file("/d/new", "new");
    CHECK_EQ(rename("/d/new", "/newer"), 0);
    CHECK_STR(get_file("newer"), "new");
    CHECK_EQ(unlink("/newer"), 0);
    CHECK_EQ(mkdir("/made", 0755), 0);
    CHECK_EQ(chdir("/made"), 0);
    CHECK(getcwd(text, sizeof text) != NULL);
    CHECK_STR(text, "/made");
    CHECK_EQ(chdir(".."), 0);
    CHECK(getcwd(text, sizeof text) != NULL);
    CHECK_STR(text, "/");
    CHECK_EQ(rmdir("made"), 0);
    CHECK_EQ(stat_of("/").st_ino, stat_of(".").st_ino);
    CHECK_EQ(stat_of("/..").st_ino, stat_of("/").st_ino);
    CHECK_EQ(access("/m/f", F_OK), mounted ? 0 : -1);
    if (mounted) {
        CHECK_STR(get_file("/m/f"), "mounted");
        CHECK_STR(get_file("m/f"), "mounted");
        CHECK_STR(get_file("/m/../here"), "here");
        CHECK_STR(get_file("/m/abs"), "here");
        CHECK_EQ(chdir("/m"), 0);
        CHECK_STR(get_file("../here"), "here");
        CHECK_STR(get_file("abs"), "here");
        CHECK_EQ(chdir("/"), 0);
    }
}

static void *in_thread(void *arg)
{
    look();
    return arg;
}

// Others do something meanwhile.
static void next(void)
{
    char c;
    CHECK_EQ(write(done_[1], "x", 1), 1);
    CHECK_EQ(read(go[0], &c, 1), 1);
}

static void look_in_all(void)
{
    pthread_t thread;
    int status;
    look();
    CHECK_EQ(pthread_create(&thread, NULL, in_thread, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    pid_t pid = OK(fork());
    if (!pid) {
        CHECK_EQ(chroot("/d"), 0);
        CHECK_STR(get_file("/e"), "e");
        CHECK_ERR(access("/here", F_OK), ENOENT);
        CHECK_EQ(chdir("/"), 0);
        CHECK_ERR(access("../here", F_OK), ENOENT);
        _exit(0);
    }
    OK(waitpid(pid, &status, 0));
    CHECK_EQ(status, 0);
    pid = OK(fork());
    if (!pid) {
        execl("/program", "program", mounted ? "mounted" : "not", NULL);
        _exit(99);
    }
    OK(waitpid(pid, &status, 0));
    CHECK_EQ(status, 0);
}

static void child(void)
{
    OK(chroot("w/above/root"));
    OK(chdir("/"));
    look_in_all();
    next(); // renamed above
    look_in_all();
    next(); // renamed itself
    look_in_all();
    next(); // another has its place
    look_in_all();
    CHECK_EQ(mount("m", "/m", "tmpfs", 0, NULL), 0);
    put_file("/m/f", "mounted");
    CHECK_EQ(symlink("/here", "/m/abs"), 0);
    mounted = true;
    look_in_all();
    next(); // covered above
    look_in_all();
    next(); // uncovered
    look_in_all();
    CHECK_EQ(umount("/m"), 0);
    mounted = false;
    look_in_all();
    _exit(0);
}

static void wait_for_child(void)
{
    char c;
    CHECK_EQ(read(done_[0], &c, 1), 1);
}

static void copy_program(void)
{
    int from = OK(open("/proc/self/exe", O_RDONLY)), to = OK(creat("w/above/root/program", 0755));
    while (sendfile(to, from, NULL, 1 << 20) > 0)
        ;
    close(from);
    close(to);
}

int main(int argc, char **argv)
{
    int status;
    if (argc > 1) {
        mounted = argv[1][0] == 'm';
        look();
        return 0;
    }
    own_mounts();
    OK(mkdir("w", 0755));
    OK(mkdir("w/above", 0755));
    OK(mkdir("w/above/root", 0755));
    OK(mkdir("w/above/root/d", 0755));
    OK(mkdir("w/above/root/m", 0755));
    put_file("w/above/root/here", "here");
    put_file("w/above/root/d/e", "e");
    OK(symlink("/here", "w/above/root/abs"));
    put_file("w/above/secret", "");
    put_file("w/secret", "");
    put_file("secret", "");
    copy_program();
    OK(pipe(go));
    OK(pipe(done_));
    pid_t pid = OK(fork());
    if (!pid)
        child();
    wait_for_child();
    OK(rename("w/above", "w/other"));
    OK(write(go[1], "x", 1));
    wait_for_child();
    OK(rename("w/other/root", "w/moved"));
    OK(write(go[1], "x", 1));
    wait_for_child();
    OK(mkdir("w/above", 0755));
    OK(mkdir("w/above/root", 0755));
    OK(write(go[1], "x", 1));
    wait_for_child();
    OK(mount("cover", "w", "tmpfs", 0, NULL));
    OK(write(go[1], "x", 1));
    wait_for_child();
    OK(umount("w"));
    OK(write(go[1], "x", 1));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    return done();
}
