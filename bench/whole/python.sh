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
    timed python starts 10
    expect "$(sort "$log" | uniq -c | tr -s ' ')" ' 10 [1, 2]'
}

main "$@"
