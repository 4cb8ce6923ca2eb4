// SPDX-License-Identifier: MIT
// The command line.
#ifndef LX_CLI_OPTIONS_H
#define LX_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct bind_option {
    char *host, *guest;
    char *options; // "ro", "uid=1000,..."; "" if there are none
};

struct options {
    const char *root; // NULL: the host's own tree
    struct bind_option *binds;
    size_t nbinds;
    const char *user; // NULL: root
    const char *cd;
    char **env; // -e NAME=VALUE, in order
    size_t nenv;
    bool clear_env;
    const char *argv0;
    const char *release;
    const char *hostname;
    int engine; // enum engine, or ENGINE_AUTO
    bool verbose;
    bool stats;
    int vm; // enum vm_kind
    const char *image, *attach;
    char **vm_set; // KEY=VALUE, in order
    size_t nvm_set;
    char **program; // PROGRAM ARG... NULL
};

// Parses the arguments. Help, version, the table and errors end the process.
void options_parse(struct options *o, int argc, char **argv);

#endif
