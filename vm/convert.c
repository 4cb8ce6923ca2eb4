// SPDX-License-Identifier: MIT
// A tree of files, as lxrun keeps it, becomes an ext4 image, and the other way round.
//
// mke2fs and lximage (vm/image/) do it, under lxrun, where owners, modes and device nodes are what
// they seem to be. The result gets its name when it is complete, has been compared inode by inode
// with what it was made of, and is on the disk; until then there is only a "NAME.new".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "fail.h"
#include "machine.h"
#include "place.h"

#define SIZE_DEFAULT (16 << 10) // MiB
#define INODES_PER_MIB 64       // what mke2fs gives

static char *unfinished; // what to remove after a failure

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    // A directory of the guest's may be closed even to its owner; what cannot be removed is left.
    return remove(path) && errno != ENOENT ? -1 : 0;
}

static void remove_all(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void clean_up(void)
{
    if (unfinished)
        remove_all(unfinished);
}

static char *full_path(const char *path)
{
    char *copy = must_format("%s", path), *other = must_format("%s", path);
    char *dir = realpath(dirname(copy), NULL);
    if (!dir)
        fail_errno("%s", path);
    char *full = must_format("%s/%s", strcmp(dir, "/") ? dir : "", basename(other));
    free(copy);
    free(other);
    free(dir);
    return full;
}

static char *new_name(const char *path)
{
    struct stat st;
    if (!lstat(path, &st))
        fail("%s is there already", path);
    char *name = must_format("%s.new", path);
    remove_all(name); // of a conversion that was killed
    unfinished = name;
    fail_hook = clean_up;
    return name;
}

// Gives the result its name, when it is on the disk.
static void put_in_place(const char *from, const char *to)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) || fsync(fd))
        fail_errno("cannot write %s", from);
    close(fd);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
        fail_errno("cannot rename %s to %s", from, to);
    unfinished = NULL;
    char *copy = must_format("%s", to);
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd))
        fail_errno("cannot write the directory of %s", to);
    close(fd);
    free(copy);
}

// Runs a program under lxrun, with `directory` a tree of the guest's.
static void run_inside(const char *directory, char **argv)
{
    struct words w = {0};
    int status;
    words_add(&w, "%s", place_program("lxrun"));
    words_add_bind(&w, directory);
    words_add(&w, "--");
    for (char **a = argv; *a; a++)
        words_add(&w, "%s", *a);
    pid_t pid = words_run(&w, 2, NULL, 0, false);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        fail_errno("cannot run %s", argv[0]);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail("%s has failed: there is no conversion", argv[0]);
}

static char *image_tool(void)
{
    char *tool = place_program("lximage");
    if (!tool)
        fail("cannot find lximage beside lxrun or in ../lib/lxrun");
    return tool;
}

// ---- To an image ----

static unsigned long long tree_bytes, tree_files;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path, (void)type, (void)ftw;
    tree_bytes += (unsigned long long)st->st_blocks * 512;
    tree_files++;
    return 0;
}

static void make_file_system(const char *directory, const char *image, unsigned size)
{
    int fd = open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)size << 20))
        fail_errno("cannot make %s", image);
    close(fd);
    unsigned long long inodes = (unsigned long long)size * INODES_PER_MIB;
    if (inodes < tree_files * 2)
        inodes = tree_files * 2;
    char *count = must_format("%llu", inodes), *tool = disk_tool("mke2fs");
    run_inside(directory,
               (char *[]){tool, "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-N", count,
                          "-E", "root_owner=0:0,lazy_itable_init=1,lazy_journal_init=1", "-d",
                          (char *)directory, (char *)image, NULL});
    free(count);
    free(tool);
}

int vm_to_image(const char *directory, const char *file, unsigned size)
{
    struct stat st;
    char *from = realpath(directory, NULL), *to = full_path(file);
    if (!from || stat(from, &st) || !S_ISDIR(st.st_mode))
        fail("%s: not a directory", directory);
    char *image = new_name(to);
    if (nftw(from, count_one, 64, FTW_PHYS))
        fail_errno("%s", from);
    if (size && tree_bytes >> 20 >= size)
        fail("%s holds %llu MB: a SIZE above that is wanted, not %u", from, tree_bytes >> 20, size);
    if (!size && tree_bytes >> 19 > SIZE_DEFAULT)
        size = (unsigned)(tree_bytes >> 19);
    make_file_system(from, image, size ? size : SIZE_DEFAULT);
    run_inside(from, (char *[]){image_tool(), "finish", from, image, NULL});
    if (run_quietly((char *[]){disk_tool("e2fsck"), "-fn", image, NULL}))
        fail("e2fsck finds faults in %s", image);
    put_in_place(image, to);
    return 0;
}

// ---- From an image ----

int vm_from_image(const char *file, const char *directory)
{
    char *from = realpath(file, NULL), *to = full_path(directory);
    if (!from)
        fail_errno("%s", file);
    char *note = disk_open(from);
    if (note)
        fprintf(stderr, "lxrun: %s\n", note);
    char *tree = new_name(to);
    if (mkdir(tree, 0755))
        fail_errno("cannot make %s", tree);
    run_inside(tree, (char *[]){image_tool(), "extract", from, tree, NULL});
    put_in_place(tree, to);
    return 0;
}

// ---- Its size ----

static void set_length(const char *path, unsigned size)
{
    if (truncate(path, (off_t)size << 20))
        fail_errno("cannot change the size of %s", path);
}

int vm_resize(const char *file, unsigned size)
{
    struct stat st;
    char *path = realpath(file, NULL), *wanted = must_format("%uM", size);
    if (!path || stat(path, &st))
        fail_errno("%s", file);
    char *note = disk_open(path);
    if (note)
        fprintf(stderr, "lxrun: %s\n", note);
    off_t had = st.st_size;
    int status = run_quietly((char *[]){disk_tool("e2fsck"), "-fp", path, NULL});
    if (status < 0 || status > 1)
        fail("%s is damaged, and e2fsck -p does not mend it", path);
    if ((off_t)size << 20 > had)
        set_length(path, size);
    if (run_quietly((char *[]){disk_tool("resize2fs"), path, wanted, NULL})) {
        if ((off_t)size << 20 > had && truncate(path, had))
            fail_errno("cannot change the size of %s", path);
        fail("resize2fs cannot make %s %s: is there room for what is in it?", path, wanted);
    }
    if ((off_t)size << 20 < had)
        set_length(path, size);
    // A journal that had to move was written block by block, though nothing was in it.
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        drop_zeros(fd);
        close(fd);
    }
    return 0;
}
