// SPDX-License-Identifier: MIT
// race_exec_another in an overlay mount: what a user runs is what he is let, and whom it makes him
// is what it says.
// covers: execve, renameat2
// needs: root
#include "overlay.h"
#define main race_main
#include "race_exec_another.c"
#undef main

int main(int argc, char **argv)
{
    if (argc > 1)
        return race_main(argc, argv);
    overlay_enter();
    return race_main(argc, argv);
}
