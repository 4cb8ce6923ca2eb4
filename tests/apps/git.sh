#!/bin/sh
# SPDX-License-Identifier: MIT
# git: 500 commits, clones of three kinds, fsck, gc, branches, a merge, the dumb daemon protocol.
. tests/apps/common

guest git 240 '
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git init -q -b main repo
cd repo
for i in $(seq 20); do
    mkdir -p d$((i % 7)) && echo $i >d$((i % 7))/file && git add . && git commit -q -m "commit $i"
done
for i in $(seq 480); do
    echo "commit refs/heads/main
committer a <a@b> $((1700000000 + i)) +0000
data <<X
import $i
X
$([ $i != 1 ] || echo "from $(git rev-parse main)")
M 100644 inline d$((i % 7))/f$i
data <<X
content $i
X
"
done | git fast-import --quiet
git reset -q --hard
expect "$(git rev-list --count HEAD)" 500
git status --porcelain | { ! grep .; }
git switch -q -c side HEAD~100
echo x >side
git add side
git commit -q -m side
git switch -q main
git merge -q -m merge side
git log --stat >/dev/null
cd ..
git clone -q repo local
git clone -q --no-local repo packed
git clone -q --depth 5 file://$work/repo shallow
git -C packed fsck --full --no-progress
git -C packed gc -q --aggressive --prune=now
git -C packed fsck --full --no-progress
expect "$(git -C packed rev-parse HEAD)" "$(git -C repo rev-parse HEAD)"
git -C repo gc -q
git -C repo fsck --no-progress
echo change >packed/new
git -C packed add new
git -C packed commit -q -m new
git -C repo config receive.denyCurrentBranch updateInstead
git -C packed push -q
expect "$(cat repo/new)" change
git -C local pull -q
expect "$(cat local/new)" change
port=$(free_port)
git daemon --base-path=$work --export-all --listen=127.0.0.1 --port=$port --pid-file=pid --reuseaddr &
cleanup() { kill $(cat $work/pid); }
wait_for git ls-remote git://127.0.0.1:$port/repo
git clone -q git://127.0.0.1:$port/repo remote
git -C remote fsck --no-progress'
