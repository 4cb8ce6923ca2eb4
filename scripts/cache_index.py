# SPDX-License-Identifier: MIT
"""What the checks and the test runner know of the cache of rewritten code (include/rewrite.h)."""
import os


def index_name(file):
    """A file's name in the index: REWRITE_INDEX."""
    st = file.stat()
    return "%x.%x.%x.%x.%x.%x.%x" % (
        os.major(st.st_dev) << 32 | os.minor(st.st_dev), st.st_ino, st.st_size,
        st.st_mtime_ns // 10**9, st.st_mtime_ns % 10**9,
        st.st_ctime_ns // 10**9, st.st_ctime_ns % 10**9)
