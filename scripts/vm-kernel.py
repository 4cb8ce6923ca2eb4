#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fetches the kernel of the utility VM.

    vm-kernel.py [DIR]      into DIR (default: lxrun's cache); nothing to do when it is there

Debian's linux-image-amd64 comes from the machine's own apt sources and is not installed. Of the
package stay the kernel, unpacked (an emulated machine would spend seconds on that at each boot), and
the few modules that the VM needs. Not linux-image-cloud-amd64: that one has no 9P.
"""
import lzma
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "linux-image-amd64"
MODULES = ["virtio_mmio", "virtio_console", "virtio_blk", "virtio_net", "virtio_balloon"]
# Loaded when the kernel asks for them (vm/init/modules.c).
LATER = ["crc32c_generic", "ext4", "9pnet_virtio", "9p", "virtiofs", "fuse", "overlay"]
RECIPE = f"{PACKAGE} {' '.join(MODULES)}; {' '.join(LATER)}\n"  # a change in it makes what is there stale


def fail(text):
    sys.exit(f"vm-kernel.py: {text}")


def cache():
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(base if base.startswith("/") else Path.home() / ".cache") / "lxrun/vm"


def download(tmp):
    """The package that the newest kernel is in, unpacked."""
    shown = subprocess.run(["apt-cache", "depends", PACKAGE], capture_output=True, text=True,
                           check=False).stdout
    found = re.search(r"Depends: (linux-image-\S+)", shown)
    if not found:
        fail(f"apt knows no {PACKAGE}: apt-get update may help")
    done = subprocess.run(["apt-get", "download", "-q", found[1]], cwd=tmp, capture_output=True,
                          text=True, check=False)
    packages = list(tmp.glob("*.deb"))
    if done.returncode or not packages:
        fail(f"apt-get download {found[1]} failed:\n{done.stderr}")
    subprocess.run(["dpkg-deb", "-x", packages[0], tmp / "tree"], check=True)
    return tmp / "tree"


def unpack(image):
    """The ELF file inside a bzImage (Documentation/x86/boot.rst: payload_offset)."""
    start = (image[0x1f1] + 1) * 512
    offset, length = struct.unpack_from("<II", image, 0x248)
    payload = image[start + offset:start + offset + length]
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)  # the size stands behind it
    for magic, tool in ((b"\x02\x21\x4c\x18", "lz4"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x1f\x8b", "gzip")):
        if payload.startswith(magic):
            return subprocess.run([tool, "-dc"], input=payload, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, check=False).stdout
    return b""


class Archive:
    """A cpio archive in the "newc" form, as the kernel takes its first file system."""

    def __init__(self):
        self.data, self.inode = b"", 1000

    def add(self, name, mode, content=b""):
        self.inode += 1
        fields = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + name.encode() + b"\0"
        for part in (head, content):
            self.data += part + b"\0" * (-len(part) % 4)


def with_dependencies(files, names):
    """Modules in the order in which they can be loaded."""
    order = []

    def add(name):
        if name in order or name not in files:
            return  # what is not a module is built in
        needs = re.search(rb"\0depends=([^\0]*)\0", files[name].read_bytes())
        for other in filter(None, needs[1].decode().split(",") if needs else []):
            add(other.replace("-", "_"))
        order.append(name)

    for name in names:
        add(name)
    return order


def aliases(file):
    """The names, besides its own, that the kernel may ask for it by; patterns are for device managers."""
    found = re.findall(rb"alias=([^\0]*)\0", file.read_bytes())
    return [a.decode() for a in found if b"*" not in a]


def main():
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else cache()
    made = [to / name for name in ("vmlinux", "modules.cpio", "recipe")]
    if all(f.exists() for f in made) and made[2].read_text() == RECIPE:
        return
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to) as tmp:
        tmp = Path(tmp)
        tree = download(tmp)
        image = unpack(next(tree.glob("boot/vmlinuz-*")).read_bytes())
        if not image.startswith(b"\x7fELF"):
            fail("the kernel is packed in a way that is not known here")
        files = {f.stem.replace("-", "_"): f for f in tree.glob("**/*.ko")}
        order, later = with_dependencies(files, MODULES), with_dependencies(files, LATER)
        if "9p" not in later:
            fail("the package has no modules in the form that is known here")
        archive = Archive()
        archive.add("modules", 0o40755)
        archive.add("modules/list", 0o100644, "".join(f"{m}\n" for m in order).encode())
        archive.add("modules/later", 0o100644, "".join(
            f"{alias} {' '.join(with_dependencies(files, [m]))}\n"
            for m in later for alias in [m, *aliases(files[m])]).encode())
        for m in dict.fromkeys(order + later):
            archive.add(f"modules/{m}", 0o100644, files[m].read_bytes())
        archive.add("TRAILER!!!", 0)
        (tmp / "modules.cpio").write_bytes(archive.data)
        (tmp / "vmlinux").write_bytes(image)
        (tmp / "recipe").write_text(RECIPE)
        for file in made:
            (tmp / file.name).rename(file)


if __name__ == "__main__":
    main()
