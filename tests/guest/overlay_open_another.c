// SPDX-License-Identifier: MIT
// race_open_another in an overlay mount: what a user may open, cut or write is the file that he is
// let.
// covers: open, truncate, renameat2
// needs: root
#include "overlay.h"
#define main race_main
#include "race_open_another.c"
#undef main

int main(void)
{
    overlay_enter();
    return race_main();
}
