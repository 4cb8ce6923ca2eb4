#!/bin/sh
# SPDX-License-Identifier: MIT
# A million operations of scripts/check-volfs.py.
# level: all
# timeout: 3600
exec "$(dirname "$0")/check-volfs.py" --long
