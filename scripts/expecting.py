# SPDX-License-Identifier: MIT
"""How checks say what is wrong: one thing after the other, or a list of them at the end."""
import sys

_failures = 0


def expect(what, got, want):
    """Says on stderr if it is otherwise, and counts that."""
    global _failures
    if got != want:
        _failures += 1
        print(f"{what}: {got!r}, not {want!r}", file=sys.stderr)


def failed():
    """Was anything otherwise? For the end of main()."""
    return _failures > 0


def report(faults):
    """Prints them, and whether there are any, which it returns."""
    for fault in faults:
        print(fault)
    print("FAIL" if faults else "ok")
    return bool(faults)
