// SPDX-License-Identifier: MIT
// Users and groups of the guest (users.h). Not by getpwnam: its sources are the host's.
#define _GNU_SOURCE
#include "users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "root.h"

// Splits a line at its colons into n fields; missing ones are "".
static void split(char *line, char **fields, int n)
{
    line[strcspn(line, "\n")] = 0;
    for (int i = 0; i < n; i++) {
        fields[i] = line;
        line += strcspn(line, ":");
        if (*line)
            *line++ = 0;
    }
}

static bool number(const char *s, u32 *v)
{
    char *end;
    unsigned long n = strtoul(s, &end, 10);
    if (*s < '0' || *s > '9' || *end || n >= 0xffffffffUL)
        return false;
    *v = (u32)n;
    return true;
}

static void copy(char *dst, size_t n, const char *src)
{
    snprintf(dst, n, "%s", src);
}

static bool passwd_find(struct user *u, int root_fd, const char *name)
{
    enum { NAME, PASSWORD, UID, GID, GECOS, HOME, SHELL, FIELDS };
    FILE *f = root_read(root_fd, "etc/passwd");
    char *line = NULL, *field[FIELDS];
    size_t size = 0;
    u32 id = 0, uid, gid;
    bool by_id = number(name, &id), found = false;
    while (f && !found && getline(&line, &size, f) > 0) {
        split(line, field, FIELDS);
        if (!number(field[UID], &uid) || !number(field[GID], &gid))
            continue;
        if (strcmp(field[NAME], name) != 0 && !(by_id && uid == id))
            continue;
        u->uid = uid;
        u->gid = gid;
        copy(u->name, sizeof u->name, field[NAME]);
        copy(u->home, sizeof u->home, *field[HOME] ? field[HOME] : "/");
        copy(u->shell, sizeof u->shell, *field[SHELL] ? field[SHELL] : "/bin/sh");
        found = true;
    }
    free(line);
    if (f)
        fclose(f);
    return found;
}

static bool is_member(char *members, const char *name)
{
    for (char *m = strtok(members, ","); m; m = strtok(NULL, ","))
        if (!strcmp(m, name))
            return true;
    return false;
}

static void add_group(struct user *u, u32 gid)
{
    for (u32 i = 0; i < u->ngroups; i++)
        if (u->groups[i] == gid)
            return;
    if (u->ngroups < CRED_GROUPS_MAX)
        u->groups[u->ngroups++] = gid;
}

// Goes through /etc/group: adds the groups that u is a member of, and finds the group `name`
// (NULL: none) for *gid.
static bool groups_find(struct user *u, int root_fd, const char *name, u32 *gid)
{
    enum { NAME, PASSWORD, GID, MEMBERS, FIELDS };
    FILE *f = root_read(root_fd, "etc/group");
    char *line = NULL, *field[FIELDS];
    size_t size = 0;
    u32 id;
    bool found = false;
    while (f && getline(&line, &size, f) > 0) {
        split(line, field, FIELDS);
        if (!number(field[GID], &id))
            continue;
        if (name && !strcmp(field[NAME], name)) {
            *gid = id;
            found = true;
        }
        if (*u->name && is_member(field[MEMBERS], u->name))
            add_group(u, id);
    }
    free(line);
    if (f)
        fclose(f);
    return found;
}

void user_find(struct user *u, int root_fd, const char *text)
{
    *u = (struct user){.home = "/root", .shell = "/bin/sh"};
    char *name = must_format("%s", text ? text : "0");
    char *group = strchr(name, ':');
    if (group)
        *group++ = 0;
    u32 id;
    if (!passwd_find(u, root_fd, name)) {
        if (!number(name, &id))
            fail("no user '%s' in the guest's /etc/passwd", name);
        u->uid = u->gid = id;
        copy(u->name, sizeof u->name, id ? "" : "root");
        if (id)
            copy(u->home, sizeof u->home, "/");
    }
    // As in docker and chroot(1): with a group given, it is the only one.
    if (group && *group) {
        struct user nobody = {0};
        if (!groups_find(&nobody, root_fd, group, &id) && !number(group, &id))
            fail("no group '%s' in the guest's /etc/group", group);
        u->gid = id;
        add_group(u, id);
    } else {
        add_group(u, u->gid);
        groups_find(u, root_fd, NULL, &id);
    }
    free(name);
}

void user_cred(const struct user *u, struct cred *c)
{
    *c = (struct cred){.ruid = u->uid,
                       .euid = u->uid,
                       .suid = u->uid,
                       .fsuid = u->uid,
                       .rgid = u->gid,
                       .egid = u->gid,
                       .sgid = u->gid,
                       .fsgid = u->gid,
                       .cap_bounding = CAP_FULL_SET,
                       .ngroups = u->ngroups};
    if (u->uid == 0)
        c->cap_permitted = c->cap_effective = CAP_FULL_SET;
    memcpy(c->groups, u->groups, sizeof c->groups);
}
