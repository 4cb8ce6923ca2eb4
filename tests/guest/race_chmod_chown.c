// SPDX-License-Identifier: MIT
// Owner and mode under concurrent changes: a chmod is seen at once, and neither undoes the
// other, also when one is off its processor in the middle.
// covers: chmod, chown, stat, fchmod, fchown
// needs: root
#include "race.h"
#include <sched.h>

static atomic_uint changes;

static void attack(unsigned round)
{
    CHECK_EQ(chown("f", 1 + round % 2, 11 + round % 2), 0);
    changes++;
}

// Until a change of the other's has come to its end that began before now.
static void wait_for_change(void)
{
    unsigned seen = changes;

    while (changes == seen)
        sched_yield();
}

// Changes only the mode, while the other thread changes only the owner.
static void lookup(unsigned round)
{
    int mode = round % 2 ? 0640 : 01604;
    struct stat st;

    CHECK_EQ(chmod("f", mode), 0);
    if (round % 4 == 0)
        wait_for_change();
    CHECK_EQ(stat("f", &st), 0);
    CHECK_EQ(st.st_mode, S_IFREG | mode);
    CHECK(st.st_uid == 1 || st.st_uid == 2);
    CHECK(st.st_gid == 11 || st.st_gid == 12);
    race_hits++;
}

int main(void)
{
    put_file("f", "");
    attack(0);
    race_run(attack, lookup);
    return done();
}
