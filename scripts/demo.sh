#!/bin/bash
# SPDX-License-Identifier: MIT
# `make run`: a shell in the Debian tree, or, without a terminal, a transcript of what it can do.
# The exit status is that of the shell, or 1 when a command of the transcript failed.
set -u
cd "$(dirname "$0")/.." || exit 1

lxrun=(build/lxrun --root build/rootfs --hostname debian --cd /root --clearenv
    -e HOME=/root -e "TERM=${TERM:-dumb}" -e LANG=C.UTF-8 -e LOGNAME=root -e SHELL=/bin/bash
    -e PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)

if [ -t 0 ] && [ -t 1 ]; then
    exec "${lxrun[@]}" /bin/bash -l
fi

failed=0
show()
{
    printf '\n$ %s\n' "$1"
    "${lxrun[@]}" /bin/bash -c "$1" </dev/null 2>&1
    local status=$?
    if [ $status != 0 ]; then
        echo "(exit status $status)"
        failed=1
    fi
}

show 'cat /etc/os-release'
show 'uname -srm; id; ps -e -o pid,user,args'
show 'cut -d: -f7 /etc/passwd | sort | uniq -c | sort -rn | head -n 3'
show 'python3 -c "import math; print(sum(1 / math.factorial(n) for n in range(20)))"'
show 'printf "%s\n" "#include <stdio.h>" "int main(void) { return puts(\"compiled and run\") < 0; }" \
    >hello.c && gcc -O2 -Wall -o hello hello.c && ./hello'
show 'touch mine theirs && chown www-data:mail theirs && chmod 4750 theirs &&
    ls -l mine theirs hello && rm mine theirs hello hello.c'
exit $failed
