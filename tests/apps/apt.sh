#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 900
# apt-get and dpkg: the tree of all these tests is made by them; what they left is whole, and they
# go on working: update, install, reinstall, remove, purge.
. tests/apps/common

if grep -E '^(E:|dpkg: error|dpkg-deb: error)|returned error exit status' "$APPS.log"; then
    echo "apt-get or dpkg reported errors; all of its output is in $APPS.log"
    exit 1
fi

whole='
expect "$(dpkg --audit)" ""
expect "$(dpkg-query -W -f "\${db:Status-Status}\n" | sort -u | grep -v config-files)" installed
expect "$(dpkg --verify | grep -v " c " || :)" ""'

guest 'as installed' 240 "$whole"'
owner() { expect "$(stat -c "%U:%G %a %F" $1)" "$2"; }
owner /usr/bin/ssh-agent "root:_ssh 2755 regular file"
owner /usr/bin/sudo "root:root 4755 regular file"
owner /usr/bin/chage "root:shadow 2755 regular file"
owner /var/lib/postgresql "postgres:postgres 755 directory"
owner /var/lib/redis "redis:redis 750 directory"
owner /etc/shadow "root:shadow 640 regular file"
owner /tmp "root:root 1777 directory"
owner /var/mail "root:mail 2775 directory"
expect "$(dpkg -S /usr/bin/tmux)" "tmux: /usr/bin/tmux"'

guest 'going on' 400 '
export DEBIAN_FRONTEND=noninteractive
cleanup() { [ $status = 0 ] || cat log; }
apt-get -q update >log 2>&1
apt-get -q install -y --no-install-recommends cron bc >log 2>&1
expect "$(echo 2^70 | bc)" 1180591620717411303424
expect "$(stat -c "%U:%G %a" /usr/bin/crontab)" "root:crontab 2755"
apt-get -q install -y --reinstall openssh-server nginx-common ca-certificates tzdata >log 2>&1
apt-get -q purge -y --autoremove cron bc >log 2>&1
apt-get -q check >log 2>&1
not command -v crontab
apt-get -q clean
'"$whole"
