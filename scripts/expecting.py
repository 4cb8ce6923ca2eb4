# SPDX-License-Identifier: MIT
"""What a check expects: each thing that is otherwise is said on stderr, and counted."""
import sys

_failures = 0


def expect(what, got, want):
    global _failures
    if got != want:
        _failures += 1
        print(f"{what}: {got!r}, not {want!r}", file=sys.stderr)


def failed():
    """Was anything otherwise? For the end of main()."""
    return _failures > 0
