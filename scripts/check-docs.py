#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves that what the documents point at is there: `file: text` names a file of the tree and a text
in it, `folder/` and `folder/file` a path."""
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
CITED = re.compile(r"`((?:[a-z-]+/)+[\w.-]+): ([^`]+)`")
NAMED = re.compile(r"`((?:bench|cli|docs|fs|host|include|loader|rewrite|scripts|syscalls|task|tests|trap|vm)/[\w./-]*)`")

wrong = []
count = 0
for page in [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))]:
    text = " ".join(page.read_text().split())
    for path, pattern in CITED.findall(text):
        count += 1
        file = TOP / path
        if not file.exists():
            wrong.append(f"{page.name}: there is no {path}")
        elif pattern not in " ".join(file.read_text().split()):
            wrong.append(f"{page.name}: {path} has no '{pattern}'")
    for path in NAMED.findall(text):
        count += 1
        if not (TOP / path).exists():
            wrong.append(f"{page.name}: there is no {path}")
print("\n".join(wrong) or f"{count} places cited, all there")
sys.exit(bool(wrong) or count == 0)
