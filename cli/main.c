// SPDX-License-Identifier: MIT
// lxrun: parse, prepare, run.
#include "launch.h"
#include "options.h"
#include "supervisor.h"
#include "utility.h"

int main(int argc, char **argv)
{
    static struct options options;
    static struct launch launch;
    options_parse(&options, argc, argv);
    if (options.vm)
        return utility_run(&options);
    instance_make(&launch, &options);
    return supervise(&launch);
}
