// SPDX-License-Identifier: MIT
// lxrun: parse, prepare, run.
#include <fcntl.h>

#include "launch.h"
#include "options.h"
#include "supervisor.h"
#include "utility.h"

// What is opened here must not become the standard output or error of whoever prints to them: the
// instance's memory once got a warning. Closed ones stay so for the program, and for us fail as if
// they were.
static void guard_standard(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", (fd ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
            return; // there is no such device
}

int main(int argc, char **argv)
{
    static struct options options;
    static struct launch launch;
    guard_standard();
    options_parse(&options, argc, argv);
    if (options.vm)
        return utility_run(&options);
    instance_make(&launch, &options);
    return supervise(&launch);
}
