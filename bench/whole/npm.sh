#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: npm
# A project whose dependencies are folders beside it: npm packs, unpacks and links them.
. "${0%/*}/common"

run()
{
    cp -r "$DATA/npm" npm
    cd npm/project
    timed npm npm install --offline --no-audit --no-fund --install-links
    expect "$(node -p 'require("./index.js")')" "$(<"$DATA/npm.sum")"
}

main "$@"
