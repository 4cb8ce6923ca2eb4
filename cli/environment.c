// SPDX-License-Identifier: MIT
// The program's environment: the host's, made to fit the guest.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "launch.h"

// What login(1) sets on Debian.
#define PATH_ROOT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PATH_USER "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"

// Names that mean something else, or nothing, in another root.
static const char *const dropped[] = {
    "TMPDIR", "LD_PRELOAD", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "PWD", "OLDPWD", "MAIL"};

static void unset(char **env, const char *name, size_t n)
{
    char **to = env;
    for (char **from = env; *from; from++)
        if (strncmp(*from, name, n) != 0 || (*from)[n] != '=')
            *to++ = *from;
    *to = NULL;
}

static void set(char **env, char *entry)
{
    size_t n = 0;
    unset(env, entry, strcspn(entry, "="));
    while (env[n])
        n++;
    env[n] = entry;
    env[n + 1] = NULL;
}

char **environment_make(const struct options *o, const struct user *user)
{
    size_t n = 0;
    while (environ[n])
        n++;
    char **env = must_alloc((n + o->nenv + 16) * sizeof *env);
    if (!o->clear_env) {
        memcpy(env, environ, n * sizeof *env);
        if (o->root) {
            for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
                unset(env, dropped[i], strlen(dropped[i]));
            set(env, must_format("PATH=%s", user->uid ? PATH_USER : PATH_ROOT));
        }
        if (o->root || o->user) {
            set(env, must_format("HOME=%s", user->home));
            set(env, must_format("SHELL=%s", user->shell));
            if (*user->name) {
                set(env, must_format("USER=%s", user->name));
                set(env, must_format("LOGNAME=%s", user->name));
            }
        }
    }
    for (size_t i = 0; i < o->nenv; i++)
        set(env, o->env[i]);
    return env;
}
