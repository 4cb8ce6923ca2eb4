// SPDX-License-Identifier: MIT
// lxrun --check DIR [--repair]: is what a tree keeps in extended attributes in order
// (docs/files.md, "Checking a tree")?
#ifndef LX_CLI_CHECK_H
#define LX_CLI_CHECK_H

// Prints a line for each thing found, and returns an exit status: 1 when something is wrong (and
// was not repaired), else 0.
int check_command(char **args);

#endif
