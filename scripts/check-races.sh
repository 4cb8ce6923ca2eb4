#!/bin/sh
# SPDX-License-Identifier: MIT
# The races of guest/race_* again and again for a minute: nothing outside the root is reached.
# level: all
# timeout: 900
set -eu
cd "$(dirname "$0")/.."
end=$(($(date +%s) + 60))
while [ "$(date +%s)" -lt $end ]; do
    tests/run.py --user --trap default,seccomp,old 'guest/race_*' scm_rights_dirs path_dotdot path_proc_links
done
