#!/bin/sh
# SPDX-License-Identifier: MIT
# A third of scripts/check-crash.py, as an ordinary user.
# level: test
# timeout: 1200
exec "$(dirname "$0")/check-crash.py" --few --user
