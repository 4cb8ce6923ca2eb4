// SPDX-License-Identifier: MIT
// Says to the utility VM what the command line asks for (utility.h).
#define _GNU_SOURCE
#include "utility.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"
#include "launch.h"
#include "vm.h"

static char *absolute(const char *path, mode_t type)
{
    struct stat st;
    char *full = realpath(path, NULL);
    if (!full || stat(full, &st))
        fail_errno("%s", path);
    if ((st.st_mode & S_IFMT) != type)
        fail("%s: %s", path, type == S_IFDIR ? "not a directory" : "not a regular file");
    return full;
}

static void add_shares(struct vm_options *v, const struct options *o)
{
    v->shares = must_alloc(sizeof *v->shares * (o->nbinds + 1));
    for (size_t i = 0; i < o->nbinds; i++) {
        const struct bind_option *b = &o->binds[i];
        struct vm_share *s = &v->shares[v->nshares++];
        s->host = absolute(b->host, S_IFDIR);
        s->guest = b->guest ? b->guest : s->host;
        s->readonly = !strcmp(b->options, "ro");
        if (*b->options && !s->readonly)
            fail("-b %s:%s:%s: in a VM there is only the option ro", b->host, s->guest, b->options);
        if (!s->guest[1])
            fail("-b %s:/: the VM's root is --root's", b->host);
    }
}

// Where the caller is, as the VM sees it.
static char *directory(const struct vm_options *v, const struct options *o)
{
    char *cwd = getcwd(NULL, 0);
    size_t n = v->root ? strlen(v->root) : 0;
    if (!cwd || v->image || (n && (strncmp(cwd, v->root, n) != 0 || (cwd[n] && cwd[n] != '/'))))
        cwd = must_format("/");
    else if (n)
        cwd = must_format("/%s", cwd[n] ? cwd + n + 1 : "");
    if (!o->cd)
        return cwd;
    return *o->cd == '/' ? must_format("%s", o->cd) : must_format("%s/%s", cwd, o->cd);
}

int utility_run(const struct options *o)
{
    static const struct user nobody;
    struct options without = *o;
    struct vm_options v = {.kind = (enum vm_kind)o->vm,
                           .hostname = o->hostname,
                           .user = o->user,
                           .directory_wanted = o->cd,
                           .set = o->env,
                           .nset = o->nenv,
                           .program = *o->program,
                           .args = o->program,
                           .verbose = o->verbose};
    if (o->root && o->image)
        fail("--root or --image: a VM has one root");
    if (o->root)
        v.root = absolute(o->root, S_IFDIR);
    if (o->image)
        v.image = absolute(o->image, S_IFREG);
    if (o->attach)
        v.attach = absolute(o->attach, S_IFREG);
    if (v.image && v.attach && !strcmp(v.image, v.attach))
        fail("--attach %s: it is the VM's root", o->attach);
    vm_settings_read(&v.settings);
    for (size_t i = 0; i < o->nvm_set; i++)
        vm_settings_set(&v.settings, o->vm_set[i]);
    add_shares(&v, o);
    // The VM's root says who the user is, so HOME and the like are set there.
    v.account = (v.root || v.image || o->user) && !o->clear_env;
    without.nenv = 0;
    without.root = v.root || v.image ? "" : NULL;
    v.env = environment_make(&without, &nobody);
    v.directory = directory(&v, o);
    if (o->argv0) {
        size_t n = 0;
        while (v.args[n])
            n++;
        v.args = memcpy(must_alloc((n + 1) * sizeof *v.args), v.args, n * sizeof *v.args);
        v.args[0] = (char *)o->argv0;
    }
    return vm_run(&v);
}
