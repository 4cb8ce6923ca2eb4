// SPDX-License-Identifier: MIT
// Host calls that lxcore can do without (fs/hostat.c, fs/openwalk.c): installed headers may not
// have their numbers, nor the host the calls. Both programs.
#ifndef LX_NEWCALLS_H
#define LX_NEWCALLS_H

#include <asm/unistd_64.h>

#ifndef __NR_fchmodat2 // Linux 6.6
#define __NR_fchmodat2 452
#endif
#ifndef __NR_setxattrat // Linux 6.13
#define __NR_setxattrat 463
#define __NR_getxattrat 464
#define __NR_listxattrat 465
#define __NR_removexattrat 466
#endif

// instance.h, host_lacks: this host has them not, or a container's filter does not let them pass.
#define LACKS_XATTRAT 1
#define LACKS_FCHMODAT2 2
#define LACKS_OPENAT2 4      // Linux 5.6
#define LACKS_FACCESSAT2 8   // Linux 5.8
#define LACKS_CLOSE_RANGE 16 // Linux 5.9

#endif
