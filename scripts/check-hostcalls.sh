#!/bin/sh
# SPDX-License-Identifier: MIT
# The invariants of lxcore's machine code: host calls are made in section .hostcall only (syscall
# user dispatch lets no other address call), and no instruction touches the guest's vector or x87
# registers, which the door does not save; but for those that load them from a guest's signal frame,
# and the reset that a handler starts with.
set -eu
cd "$(dirname "$0")/.."

objdump -d --no-show-raw-insn build/lxcore | awk '
    /^Disassembly of section/ { section = $4; sub(/:$/, "", section) }
    /^[0-9a-f]+ </            { symbol = $2 }
    /\t(syscall|sysenter|int +\$0x80)/ {
        calls++
        if (section != ".hostcall" || $0 !~ /\tsyscall/)
            complain("host call outside .hostcall")
    }
    # fxsave, xsave and their like copy the state without changing it; restoring is what counts.
    /%[xyz]mm|%st|%mm[0-7]|%k[0-7]|\t(fld|fst|fild|fninit|emms|vzero|xrstor|fxrstor)/ {
        if (symbol !~ /^<(vectors_reset|uaccess_xrstor|uaccess_fxrstor)>:/)
            complain("vector or x87 instruction")
    }
    function complain(what) { print what " in " section " " symbol " " $0; bad = 1 }
    END {
        if (!calls) {
            print "no host call found at all: is build/lxcore the runtime?"
            bad = 1
        }
        exit bad
    }'
