#!/bin/bash
# SPDX-License-Identifier: MIT
# A shell that starts many short programs.
. "${0%/*}/common"

loop()
{
    for ((i = 0; i < $1; i++)); do
        /bin/true
    done
}

run()
{
    timed shell-loop loop "$(some 500)"
    expect "$(echo $(/bin/echo one; /bin/echo two))" 'one two'
}

main "$@"
