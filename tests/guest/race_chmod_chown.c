// SPDX-License-Identifier: MIT
// Owner and mode under concurrent changes: a chmod is seen at once, and neither undoes the
// other.
// covers: chmod, chown, stat, fchmod, fchown
// needs: root
#include "race.h"

static void attack(unsigned round)
{
    CHECK_EQ(chown("f", 1 + round % 2, 11 + round % 2), 0);
}

// Changes only the mode, while the other thread changes only the owner.
static void lookup(unsigned round)
{
    int mode = round % 2 ? 0640 : 01604;
    struct stat st;

    CHECK_EQ(chmod("f", mode), 0);
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
