#!/bin/sh
# SPDX-License-Identifier: MIT
# inotifywait and inotifywatch: names and events as on Linux, recursive, in guest terms.
. tests/apps/common

guest inotify 40 '
mkdir -p tree/a/b
inotifywait -m -r -q --format "%e %w%f" -o events tree & watcher=$!
cleanup() { kill $watcher; }
ready() { touch tree/probe && rm tree/probe && grep -q probe events; }
wait_for ready
: >events
echo x >tree/a/b/new
mv tree/a/b/new tree/a/moved
chmod 600 tree/a/moved
ln tree/a/moved tree/link
mkdir tree/c
rm tree/link
cat tree/a/moved >/dev/null
done_() { grep -q "DELETE tree/link" events && grep -q CLOSE_NOWRITE events; }
wait_for done_
for line in "CREATE tree/a/b/new" "CLOSE_WRITE,CLOSE tree/a/b/new" "MOVED_FROM tree/a/b/new" \
    "MOVED_TO tree/a/moved" "ATTRIB tree/a/moved" "CREATE tree/link" "CREATE,ISDIR tree/c" "DELETE tree/link"; do
    grep -qx "$line" events || { echo "missing: $line"; cat events; exit 1; }
done'
