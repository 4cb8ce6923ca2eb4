// SPDX-License-Identifier: MIT
// Names of a drive that differ only in case are one (`case=off`; `case=dir`: in the directories
// that say so). The host tells them apart. So a walk in such a drive looks at each name: as it is
// written first, and where there is none, for the first in its directory that is the same but for
// case. That one then stands in the way, so that everything behind the walk knows nothing of it,
// and a new name is kept as it was written. A name that is not there costs the reading of a whole
// directory.
#include "nocase.h"
#include "host.h"
#include "meta.h"
#include "xattr.h"

// Reads one character of UTF-8; a byte that begins none stands for itself, above all of them.
static u32 next_char(const char **s)
{
    const u8 *p = (const u8 *)*s;
    u32 n = p[0] < 0xc2 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 1;
    u32 c = n == 1 ? p[0] : p[0] & (0xff >> (n + 1));
    for (u32 i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            n = 1;
            c = p[0];
            break;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    *s += n;
    return n == 1 && c >= 0x80 ? 0x110000 + c : c;
}

// Where capitals and small letters stand, most of what NTFS's table has: `step` 1: those from
// `first` to `last` have their small ones `by` further on; 2: each second one.
static u32 fold(u32 c)
{
    static const struct {
        u32 first, last, by, step;
    } capitals[] = {
        {'A', 'Z', 32, 1},       {0xc0, 0xd6, 32, 1},     {0xd8, 0xde, 32, 1},
        {0x100, 0x12e, 1, 2},    {0x132, 0x136, 1, 2},    {0x139, 0x147, 1, 2},
        {0x14a, 0x176, 1, 2},    {0x179, 0x17d, 1, 2},    {0x386, 0x386, 38, 1},
        {0x388, 0x38a, 37, 1},   {0x38c, 0x38c, 64, 1},   {0x38e, 0x38f, 63, 1},
        {0x391, 0x3a1, 32, 1},   {0x3a3, 0x3ab, 32, 1},   {0x400, 0x40f, 80, 1},
        {0x410, 0x42f, 32, 1},   {0x460, 0x480, 1, 2},    {0x48a, 0x4be, 1, 2},
        {0x4c1, 0x4cd, 1, 2},    {0x4d0, 0x52e, 1, 2},    {0x531, 0x556, 48, 1},
        {0x1e00, 0x1e94, 1, 2},  {0x1ea0, 0x1efe, 1, 2},  {0x2160, 0x216f, 16, 1},
        {0x24b6, 0x24cf, 26, 1}, {0xff21, 0xff3a, 32, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(capitals); i++)
        if (c >= capitals[i].first && c <= capitals[i].last)
            return (c - capitals[i].first) % capitals[i].step ? c : c + capitals[i].by;
    return c == 0x178 ? 0xff : c;
}

bool nocase_same(const char *a, const char *b)
{
    while (*a && *b)
        if (fold(next_char(&a)) != fold(next_char(&b)))
            return false;
    return !*a && !*b;
}

// The name in directory dir, an O_PATH descriptor, that is the same but for case. False: none.
static bool find(struct task *t, int dir, const char *name, char found[256])
{
    char buf[4096] __attribute__((aligned(8)));
    bool is = false;
    long n, fd = temp_open(t, dir, ".", O_RDONLY | O_DIRECTORY, WALK_RESOLVE);
    if (fd < 0)
        return false;
    while (!is && (n = HOST3(__NR_getdents64, fd, buf, sizeof buf)) > 0) {
        for (long at = 0; at < n && !is;) {
            const struct dirent64 *e = (const void *)(buf + at);
            at += e->reclen;
            is = nocase_same(e->name, name);
            if (is)
                str_copy(found, e->name, 256);
        }
    }
    temp_close(t, (int)fd);
    return is;
}

// Are names not told apart by case in directory dir, open by O_PATH, of a mount?
static bool is_here(struct task *t, int mount, int dir)
{
    struct parent p = {.fd = dir, .name = "."};
    u32 nocase = mount_at(t, MAX(mount, 0))->drive.nocase;
    char value = 0;
    if (nocase != CASE_DIR)
        return nocase == CASE_OFF;
    return host_getxattr_at(&p, CASE_HOST, &value, 1) == 1 && value == '0';
}

long nocase_find(struct task *t, struct loc *loc)
{
    char found[256];
    struct statx st;
    struct parent p;
    long r = parent_open(t, loc, &p);
    if (r < 0)
        return r;
    bool other = host_statx(p.fd, p.name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == -ENOENT &&
                 is_here(t, loc->mount, p.fd) && find(t, p.fd, p.name, found);
    size_t at = (size_t)(p.name - loc->rel);
    parent_done(t, &p);
    if (!other)
        return 0;
    return str_copy(loc->rel + at, found, sizeof loc->rel - at) < sizeof loc->rel - at
               ? 1
               : -ENAMETOOLONG;
}

void nocase_inherit(struct task *t, int mount, const struct parent *p)
{
    if (mount_at(t, MAX(mount, 0))->drive.nocase == CASE_DIR && is_here(t, mount, p->fd))
        host_setxattr_at(p, CASE_HOST, "0", 1, 0);
}
