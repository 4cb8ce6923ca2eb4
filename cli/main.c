// SPDX-License-Identifier: MIT
// lxrun: parse, prepare, run.
#include "launch.h"
#include "options.h"
#include "supervisor.h"

int main(int argc, char **argv)
{
    static struct options options;
    static struct launch launch;
    options_parse(&options, argc, argv);
    instance_make(&launch, &options);
    return supervise(&launch);
}
