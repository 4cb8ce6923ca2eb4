#!/bin/sh
# SPDX-License-Identifier: MIT
# Two of the losses of scripts/check-power-loss.py.
# level: test
# timeout: 600
exec "$(dirname "$0")/check-power-loss.py" --kills 2
