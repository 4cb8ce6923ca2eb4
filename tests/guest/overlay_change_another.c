// SPDX-License-Identifier: MIT
// race_change_another in an overlay mount: whose mode, times and attributes a user may change is
// his own file.
// covers: chmod, utimensat, setxattr, renameat2
// needs: root
#include "overlay.h"
#define main race_main
#include "race_change_another.c"
#undef main

int main(void)
{
    overlay_enter();
    return race_main();
}
