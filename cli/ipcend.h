// SPDX-License-Identifier: MIT
// The records of IPC objects, which all instances on a root share (instance.h: struct ipc_table).
#ifndef LX_CLI_IPCEND_H
#define LX_CLI_IPCEND_H

#include "instance.h"

// The instance has ended: removes the table where no other uses it and no object is left.
void ipc_end(const struct instance *in);

#endif
