#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each function that loader/often.ld names is still in that source file; one that was renamed or
moved would silently lie elsewhere. scripts/often.py makes the list anew.
"""
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
errors, functions = [], 0
table = (TOP / "include/syscalls.def").read_text()
headers = "".join(h.read_text() for h in (TOP / "include").glob("*.h")) # with inline functions

for source, sections in re.findall(r"\*/(\S+)\.o\(([^)]*)\)", (TOP / "loader/often.ld").read_text()):
    file = TOP / source
    code = file.read_text() + headers if file.exists() else ""
    for name in re.findall(r"\.text\.(\w+)", sections):
        functions += 1
        # A row's function of the table is made by a macro.
        row = re.fullmatch(r"call_(\w+)", name) if file.name == "table.c" else None
        if not (re.search(rf"\b{row[1]}\b", table) if row else re.search(rf"^\w.*\b{name}\(", code, re.M)):
            errors.append(f"loader/often.ld: no function {name} in {source}")
if not functions:
    errors.append("loader/often.ld names no function")
print("\n".join(errors), end="\n" if errors else "")
sys.exit(bool(errors))
