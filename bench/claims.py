# SPDX-License-Identifier: MIT
"""What the literature on WSL1 and WSL2 says of translation and virtualisation, judged by what was
measured here: [(claim, css class, verdict, what was found)]."""
HOLDS, NOT, OPEN = ("holds", "holds"), ("not", "does not hold"), ("open", "cannot be judged here")
QEMUS = ["vm-ext4", "vm-9p", "vm-virtiofs"]
BOOT_EMULATED, BOOT_KVM, IDLE = 6, 1, 150  # seconds, seconds, MiB
NINEP = ["stat", "open", "chmod", "untar", "find", "git-status"]


class Found:
    def __init__(self, document):
        self.rows = {r["name"]: r["engines"] for r in document["rows"]}
        self.engines = {e["name"]: e for e in document["engines"]}
        self.mean = document["geometric mean of micro"].get("rewrite")

    def took(self, row, engine):
        return self.rows.get(row, {}).get(engine, {}).get("median")

    def ratio(self, row, engine="rewrite"):
        return self.rows.get(row, {}).get(engine, {}).get("ratio", {}).get("median")

    def fact(self, engine, name):
        return (self.engines.get(engine, {}).get("facts") or {}).get(name)

    def emulated(self):
        return "emulated" in str(self.fact("vm-ext4", "how")) or "TCG" in str(self.fact("vm-ext4", "how"))


def vm_is_faster(f, claim, rows, times):
    """A VM on this kernel's own file system can be as fast as native at best, so the translation's
    ratio to native bounds what a VM can gain, whatever accelerates it."""
    known = {r: f.ratio(r) for r in rows if f.ratio(r)}
    if not known:
        return (claim, *OPEN, "not measured")
    text = "; ".join(f"{r}: translation takes {v:.2f} of native" for r, v in known.items())
    vm = {r: f.took(r, "vm-ext4") / f.took(r, "rewrite") for r in known if f.took(r, "vm-ext4") and f.took(r, "rewrite")}
    if vm:
        text += "; the VM" + (", emulated," if f.emulated() else "") + " takes " + ", ".join(
            f"{v:.1f}" for v in vm.values()) + " times as long as translation"
    good = max(known.values()) >= times
    return (claim, *(HOLDS if good else NOT), text + ("" if good else "; no VM can gain more than that on native"))


def judge(document):
    f = Found(document)
    out = [
        vm_is_faster(f, "Unpacking a zipped tarball is up to 20 times faster in the VM", ["untar-gz"], 5),
        vm_is_faster(f, "git clone, npm install and cmake are 2 to 5 times faster in the VM",
                     ["git-clone", "npm", "cmake"], 2),
    ]
    ninep = {r: f.took(r, "vm-9p") / f.took(r, "vm-ext4") for r in NINEP
             if f.took(r, "vm-9p") and f.took(r, "vm-ext4")}
    claim = "Files over 9P are 10 to 50 times slower than the VM's own"
    if ninep:
        slow = sum(v >= 10 for v in ninep.values())
        out.append((claim, *(HOLDS if slow * 2 >= len(ninep) else NOT),
                    "; ".join(f"{r}: {v:.1f}" for r, v in ninep.items())))
    else:
        out.append((claim, *OPEN, "not measured"))
    out.append(start_and_memory(f))
    out += [boots(f), idles(f)]
    out.append(shrinking(f))
    claim = "Translation pays for every system call"
    if f.mean and f.ratio("getpid"):
        some = ", ".join(f"{r} {f.ratio(r):.2f}" for r in ("getpid", "getppid", "stat", "open") if f.ratio(r))
        if f.ratio("getppid", "sud"):
            some += f" (getppid where each call is trapped by a signal: {f.ratio('getppid', 'sud'):.0f})"
        out.append((claim, *(HOLDS if f.mean["mean"] > 1 else NOT), f"of native: {some}; "
                    f"the geometric mean of {f.mean['workloads']} small workloads is {f.mean['mean']:.2f}"))
    else:
        out.append((claim, *OPEN, "not measured"))
    if f.emulated():
        out.append(everywhere(f))
        out.append(than_9p(f))
    out.append(files(f))
    out.append(containers(f))
    return out


def everywhere(f):
    """lxrun's own claim, of a VM that is emulated."""
    claim = "Translation is faster than a VM without KVM on every workload"
    times = {r: f.took(r, "vm-ext4") / f.took(r, "rewrite") for r in f.rows
             if r != "memory" and f.took(r, "vm-ext4") and f.took(r, "rewrite")}
    if not times:
        return (claim, *OPEN, "not measured")
    slower = [f"{r} {v:.2f}" for r, v in sorted(times.items(), key=lambda i: i[1]) if v <= 1]
    middle = sorted(times.values())[len(times) // 2]
    return (claim, *(NOT if slower else HOLDS), f"the VM takes {min(times.values()):.1f} to {max(times.values()):.0f} "
            f"times as long on {len(times)} workloads, in the middle {middle:.0f}"
            + (f"; not on {', '.join(slower)}" if slower else ""))


def than_9p(f):
    """lxrun's own claim, too."""
    claim = "Translation is 10 times faster than a VM over 9P on untar, find and git status"
    times = {r: f.took(r, "vm-9p") / f.took(r, "rewrite") for r in ("untar", "find", "git-status")
             if f.took(r, "vm-9p") and f.took(r, "rewrite")}
    if len(times) < 3:
        why = f.rows.get("untar", {}).get("engines", {}).get("vm-9p", {})
        return (claim, *OPEN, "; ".join(f"{k}: {v}" for k, v in why.items() if isinstance(v, str)) or "not measured")
    return (claim, *(HOLDS if min(times.values()) >= 10 else NOT),
            "the VM takes " + "; ".join(f"{r}: {v:.0f}" for r, v in times.items()) + " times as long")


def start_and_memory(f):
    claim = "A translation layer costs a few MB; a VM starts in about a second and idles at hundreds of MB"
    memory = f.rows.get("memory", {}).get("rewrite", {}).get("difference", {}).get("median")
    boot, idle = f.fact("vm-ext4", "boot s"), f.fact("vm-ext4", "idle KiB")
    if memory is None or boot is None:
        return (claim, *OPEN, "not measured")
    text = (f"an idle shell costs {abs(memory) / 1024:.1f} MiB {'less' if memory < 0 else 'more'} than native; the VM boots in {boot:.1f} s"
            f"{', emulated' if f.emulated() else ''}, and idles at {idle / 1024:.0f} MiB")
    good = memory < 8 * 1024 and idle > 100 * 1024
    return (claim, *(HOLDS if good else NOT), text)


def boots(f):
    """lxrun's own claim; the time is the command's, to the end of the first program in the VM."""
    limit = BOOT_EMULATED if f.emulated() else BOOT_KVM
    claim = f"A VM of lxrun has run its first program within {limit} s {'emulated' if f.emulated() else 'under KVM'}"
    times = {n: f.fact(n, "boot s") for n in QEMUS if f.fact(n, "boot s")}
    if not times:
        return (claim, *OPEN, "not measured")
    again = [n for n in times if "more than one attempt" in str(f.fact(n, "how"))]
    return (claim, *(HOLDS if max(times.values()) <= limit else NOT),
            "; ".join(f"{n}: {t:.1f} s" for n, t in times.items())
            + (f"; started again, since its kernel did not come up: {', '.join(again)}" if again else ""))


def idles(f):
    """lxrun's own claim, of its own roots."""
    claim = f"An idle VM of lxrun takes at most {IDLE} MiB"
    sizes = {n: [f.fact(n, fact) / 1024 for fact in ("idle KiB", "idle after work KiB") if f.fact(n, fact)]
             for n in QEMUS if f.fact(n, "idle KiB")}
    own = [size for n, some in sizes.items() if n != "vm-virtiofs" for size in some]
    if not own:
        return (claim, *OPEN, "not measured")
    text = "; ".join(n + ": " + ", after work ".join(f"{size:.0f} MiB" for size in some) for n, some in sizes.items())
    if "vm-virtiofs" in sizes:
        text += ", not judged: its servers write to the VM's memory, too, so that its zeros stay (docs/vm.md)"
    return (claim, *(HOLDS if round(max(own)) <= IDLE else NOT), text)


def shrinking(f):
    claim = "The VM's disk image never shrinks"
    trim = f.fact("vm-ext4", "trim")
    if not isinstance(trim, list):
        return (claim, *OPEN, str(trim or "not measured"))
    before, full, after = trim
    good = after - before > (full - before) / 2
    return (claim, *(HOLDS if good else NOT),
            f"{before >> 20} MiB, {full >> 20} MiB with a large file, {after >> 20} MiB when it is deleted")


def files(f):
    claim = "File systems cannot be mapped correctly"
    found = {n: f.fact(n, "semantics") for n in f.engines}
    found = {n: s for n, s in found.items() if isinstance(s, dict)}
    if "rewrite" not in found:
        return (claim, *OPEN, "not measured")
    text = "tests of file semantics that pass: " + ", ".join(f"{n} {s['passed']} of {s['of']}" for n, s in found.items())
    ours, native = found["rewrite"], found.get("native", found["rewrite"])
    return (claim, *(NOT if ours["passed"] >= native["passed"] else HOLDS), text)


def containers(f):
    claim = "Containers cannot be translated"
    found = {n: f.fact(n, "container") for n in f.engines if f.fact(n, "container")}
    if "rewrite" not in found:
        return (claim, *OPEN, "not measured")
    return (claim, *(NOT if found["rewrite"] == "works" else HOLDS),
            "unshare of mounts, of the host name and of processes: " + "; ".join(f"{n}: {v}" for n, v in found.items()))
