// SPDX-License-Identifier: MIT
// The command line (options.h).
#define _GNU_SOURCE
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "check.h"
#include "engine.h"
#include "fail.h"
#include "table.h"
#include "vm.h"

static const char help[] =
    "usage: lxrun [options] [--] PROGRAM [ARG...]\n"
    "Runs a Linux program, or a whole distribution, on a translation layer in its own process.\n"
    "\n"
    "  -r, --root DIR              root directory of the guest (without it: the host's own tree)\n"
    "  -b HOST[:GUEST[:OPTIONS]]   show the host's file or directory HOST at GUEST; options: ro, "
    "and\n"
    "                              those of DrvFs: uid=, gid=, umask=, fmask=, dmask=, metadata; "
    "at\n"
    "                              /mnt/NAME it is a drive without metadata, unless they say so\n"
    "  -u, --user USER[:GROUP]     run as this user of the guest, by name or number (default: "
    "root)\n"
    "      --cd DIR                working directory in the guest\n"
    "  -e, --env NAME=VALUE        set an environment variable\n"
    "      --clearenv              start with no environment but what -e sets\n"
    "  -0 ARGV0                    what the program gets as its argument 0\n"
    "      --kernel-release TEXT   what uname -r says\n"
    "      --hostname NAME         what hostname says\n"
    "      --trap ENGINE           how system calls are caught: rewrite, sud, seccomp, ptrace; "
    "auto\n"
    "                              (the default) takes the first of them that the host can do\n"
    "      --stats                 at the end, say how many system calls were made, and which way\n"
    "                              they came\n"
    "  -v                          say which system calls were refused\n"
    "      --rewrite FILE...       put the rewritten code of programs and libraries into the "
    "cache\n"
    "      --disas FILE...         show what is rewritten in them\n"
    "      --table [--json|--markdown]  print the table of system calls\n"
    "      --vm[=uml]              run it under a real kernel, in the utility VM of this root: "
    "QEMU "
    "or\n"
    "                              User-Mode Linux\n"
    "      --image FILE            the VM's root is this ext4 file system\n"
    "      --attach FILE           show a second one at /mnt/image\n"
    "      --vm-set KEY=VALUE      memory, processors, kernel, kernelCommandLine, "
    "localhostForwarding,\n"
    "                              hostPorts, virtiofs, autoMemoryReclaim, vmIdleTimeout, as in\n"
    "                              [wsl2] of ~/.config/lxrun/config\n"
    "      --shutdown              end every VM\n"
    "      --to-image DIR FILE [SIZE]   make an ext4 image of a tree that lxrun keeps\n"
    "      --from-image FILE DIR   make such a tree of an image\n"
    "      --resize FILE SIZE      make an image larger or smaller\n"
    "      --check DIR [--repair]  is what a tree of files keeps for its guests in order? Status "
    "1: "
    "no\n"
    "      --help, --version\n"
    "\n"
    "Exit status: the program's own; 128+n when signal n killed it; 127 program not found,\n"
    "126 it cannot be run, 125 lxrun itself failed.\n";

enum {
    OPT_CD = 256,
    OPT_CLEARENV,
    OPT_RELEASE,
    OPT_HOSTNAME,
    OPT_HELP,
    OPT_VERSION,
    OPT_TABLE,
    OPT_REWRITE,
    OPT_DISAS,
    OPT_CHECK,
    OPT_TRAP,
    OPT_STATS,
    OPT_VM,
    OPT_IMAGE,
    OPT_ATTACH,
    OPT_VM_SET,
    OPT_SHUTDOWN,
    OPT_TO_IMAGE,
    OPT_FROM_IMAGE,
    OPT_RESIZE,
};

static const struct option long_options[] = {
    {"root", required_argument, NULL, 'r'},
    {"bind", required_argument, NULL, 'b'},
    {"user", required_argument, NULL, 'u'},
    {"cd", required_argument, NULL, OPT_CD},
    {"env", required_argument, NULL, 'e'},
    {"clearenv", no_argument, NULL, OPT_CLEARENV},
    {"kernel-release", required_argument, NULL, OPT_RELEASE},
    {"hostname", required_argument, NULL, OPT_HOSTNAME},
    {"trap", required_argument, NULL, OPT_TRAP},
    {"stats", no_argument, NULL, OPT_STATS},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {"table", no_argument, NULL, OPT_TABLE},
    {"rewrite", no_argument, NULL, OPT_REWRITE},
    {"disas", no_argument, NULL, OPT_DISAS},
    {"check", no_argument, NULL, OPT_CHECK},
    {"vm", optional_argument, NULL, OPT_VM},
    {"image", required_argument, NULL, OPT_IMAGE},
    {"attach", required_argument, NULL, OPT_ATTACH},
    {"vm-set", required_argument, NULL, OPT_VM_SET},
    {"shutdown", no_argument, NULL, OPT_SHUTDOWN},
    {"to-image", no_argument, NULL, OPT_TO_IMAGE},
    {"from-image", no_argument, NULL, OPT_FROM_IMAGE},
    {"resize", no_argument, NULL, OPT_RESIZE},
    {NULL, 0, NULL, 0},
};

// Ends s at its first colon, but for those behind a backslash, which goes; what follows, or NULL.
static char *cut_at_colon(char *s)
{
    char *out = s;
    for (; *s && *s != ':'; s++) {
        if (s[0] == '\\' && s[1] == ':')
            s++;
        *out++ = *s;
    }
    char *rest = *s ? s + 1 : NULL;
    *out = 0;
    return rest;
}

static void parse_bind(struct bind_option *b, const char *text)
{
    b->host = must_format("%s", text);
    char *guest = cut_at_colon(b->host);
    b->options = guest ? cut_at_colon(guest) : NULL;
    if (!b->options)
        b->options = "";
    if (!*b->host || (guest && *guest != '/'))
        fail("-b %s: HOST[:/GUEST[:OPTIONS]] is wanted", text);
    b->guest = guest;
}

static int parse_vm(const char *kind)
{
    if (kind && strcmp(kind, "qemu") != 0 && strcmp(kind, "uml") != 0)
        fail("--vm=%s: there is qemu (the default) and uml", kind);
    return kind && !strcmp(kind, "uml") ? VM_UML : VM_QEMU;
}

static _Noreturn void print_table(char **args)
{
    enum table_format format = TABLE_TEXT;
    if (*args && !strcmp(*args, "--json"))
        format = TABLE_JSON;
    else if (*args && !strcmp(*args, "--markdown"))
        format = TABLE_MARKDOWN;
    else if (*args)
        fail("--table takes --json or --markdown, not '%s'", *args);
    if (table_print(format, stdout))
        fail_errno("cannot write the table");
    exit(0);
}

static unsigned size_of(const char *text)
{
    unsigned size = vm_size(text);
    if (!size)
        fail("'%s' is not a size, such as 20GB", text);
    return size;
}

static int image_command(int command, char **args)
{
    bool to = command == OPT_TO_IMAGE;
    if (!args[0] || !args[1] || (args[2] && (!to || args[3])))
        fail("%s is wanted", to                          ? "--to-image DIR FILE [SIZE]"
                             : command == OPT_FROM_IMAGE ? "--from-image FILE DIR"
                                                         : "--resize FILE SIZE");
    if (command == OPT_FROM_IMAGE)
        return vm_from_image(args[0], args[1]);
    if (command == OPT_RESIZE)
        return vm_resize(args[0], size_of(args[1]));
    return vm_to_image(args[0], args[1], args[2] ? size_of(args[2]) : 0);
}

// An option that is a command of its own does not come back; args: what stands behind it.
static void run_command(int option, char **args)
{
    switch (option) {
    case OPT_TO_IMAGE:
    case OPT_FROM_IMAGE:
    case OPT_RESIZE:
        exit(image_command(option, args));
    case OPT_SHUTDOWN:
        if (*args)
            fail("--shutdown ends every VM: it takes no name");
        exit(vm_shutdown());
    case OPT_HELP:
        fputs(help, stdout);
        exit(fflush(stdout) ? EXIT_LXRUN : 0);
    case OPT_VERSION:
        puts("lxrun " LXRUN_VERSION);
        exit(fflush(stdout) ? EXIT_LXRUN : 0);
    case OPT_TABLE:
        print_table(args);
    case OPT_CHECK:
        exit(check_command(args));
    }
}

// One that says how the program is to run; value: its argument. False: it is none of these.
static bool take_option(struct options *o, int option, char *value)
{
    switch (option) {
    case 'r':
        o->root = value;
        break;
    case 'b':
        parse_bind(&o->binds[o->nbinds++], value);
        break;
    case 'u':
        o->user = value;
        break;
    case 'e':
        if (!strchr(value, '=') || *value == '=')
            fail("-e %s: NAME=VALUE is wanted", value);
        o->env[o->nenv++] = value;
        break;
    case '0':
        o->argv0 = value;
        break;
    case 'v':
        o->verbose = true;
        break;
    case OPT_CD:
        o->cd = value;
        break;
    case OPT_CLEARENV:
        o->clear_env = true;
        break;
    case OPT_RELEASE:
        o->release = value;
        break;
    case OPT_HOSTNAME:
        o->hostname = value;
        break;
    case OPT_TRAP:
        o->engine = engine_parse(value);
        break;
    case OPT_STATS:
        o->stats = true;
        break;
    case OPT_VM:
        o->vm = parse_vm(value);
        break;
    case OPT_IMAGE:
        o->image = value;
        break;
    case OPT_ATTACH:
        o->attach = value;
        break;
    case OPT_VM_SET:
        o->vm_set[o->nvm_set++] = value;
        break;
    default:
        return false;
    }
    return true;
}

void options_parse(struct options *o, int argc, char **argv)
{
    int command = 0;
    *o = (struct options){.engine = ENGINE_AUTO};
    o->binds = must_alloc(sizeof *o->binds * (size_t)argc);
    o->env = must_alloc(sizeof *o->env * (size_t)argc);
    o->vm_set = must_alloc(sizeof *o->vm_set * (size_t)argc);
    for (int c; (c = getopt_long(argc, argv, "+r:b:u:e:0:v", long_options, NULL)) != -1;) {
        run_command(c, argv + optind);
        if (c == OPT_REWRITE || c == OPT_DISAS)
            command = c; // whose files come behind all options
        else if (!take_option(o, c, optarg))
            exit(EXIT_LXRUN); // getopt has said what is wrong
    }
    if (command && !argv[optind])
        fail("no file given");
    if (command == OPT_REWRITE)
        exit(rewrite_command(argv + optind, o->verbose));
    if (command == OPT_DISAS)
        exit(disas_command(argv + optind));
    o->program = argv + optind;
    if (!*o->program)
        fail("no program given; see lxrun --help");
    if (!o->vm && (o->image || o->attach || o->nvm_set))
        fail("--image, --attach and --vm-set go with --vm");
    if (o->vm && (o->engine != ENGINE_AUTO || o->release || o->stats))
        fail("--trap, --stats and --kernel-release do not go with --vm");
}
