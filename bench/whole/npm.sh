#!/bin/bash
# SPDX-License-Identifier: MIT
# needs: node
# A project whose dependencies are folders beside it: npm packs, unpacks and links them. npm is
# Debian's, brought along with the data.
. "${0%/*}/common"

export NODE_PATH=$DATA/nodejs

run()
{
    cp -r "$DATA/npm" npm
    cd npm/project
    timed npm node "$NODE_PATH/npm/bin/npm-cli.js" install --offline --no-audit --no-fund --install-links
    expect "$(node -p 'require("./index.js")')" "$(<"$DATA/npm.sum")"
}

main "$@"
