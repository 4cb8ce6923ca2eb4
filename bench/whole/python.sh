#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: python3
. "${0%/*}/common"

starts()
{
    for ((i = 0; i < $1; i++)); do
        python3 -c 'import asyncio, csv, email.message, http.client, json, logging, sqlite3
import subprocess, tempfile, unittest, urllib.request, xml.dom.minidom
print(json.dumps([1, 2]))'
    done
}

run()
{
    n=$(some 10)
    [ "$n" -gt 0 ] || n=1
    timed python starts "$n"
    expect "$(sort "$log" | uniq -c | tr -s ' ')" " $n [1, 2]"
}

main "$@"
