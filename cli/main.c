// SPDX-License-Identifier: MIT
// lxrun: parse, prepare, run.
#include <fcntl.h>
#include <unistd.h>

#include "launch.h"
#include "options.h"
#include "supervisor.h"
#include "utility.h"

// Gives closed standard descriptors something that fails as they do, or what lxrun opens would get
// their numbers, and a warning go into the instance's memory. For the program they stay closed.
// Returns a bit for each that was.
static unsigned guard_standard(void)
{
    unsigned closed = 0;
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", (fd ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
            break; // there is no such device
        closed |= 1U << fd;
    }
    return closed;
}

int main(int argc, char **argv)
{
    static struct options options;
    static struct launch launch;
    unsigned closed = guard_standard();
    options_parse(&options, argc, argv);
    if (options.vm) { // whose client keeps them closed for the command itself
        for (int fd = 0; fd < 3; fd++)
            if (closed >> fd & 1)
                close(fd);
        return utility_run(&options);
    }
    instance_make(&launch, &options);
    return supervise(&launch);
}
