# SPDX-License-Identifier: MIT
"""The Pythons of this machine, and a witness of who holds their GIL: uprobes on take_gil and drop_gil,
set through tracefs, in a trace instance of their own."""
import bisect
import glob
import os
import pathlib
import re
import shutil
import subprocess

from lib import Skip

TRACING = pathlib.Path("/sys/kernel/tracing")


def need_tracefs():
    """Its folder is always there; what fills it is mounted when somebody asks for it."""
    if not (TRACING / "uprobe_events").exists():
        subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACING], capture_output=True)
    if not (TRACING / "uprobe_events").exists():
        raise Skip("this kernel has no uprobe_events in tracefs")


def all_pythons():
    """{"3.11": program} of every CPython 3.8 or newer that pyenv or PATH has; "system": /usr/bin's."""
    found = {}
    for program in sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.*/bin/python3"))):
        version = pathlib.Path(program).parent.parent.name
        if int(version.split(".")[1]) >= 8:
            found[".".join(version.split(".")[:2])] = program
    return dict(sorted(found.items(), key=lambda item: int(item[0].split(".")[1])))


def free_threaded_python():
    """The program of a CPython built without the GIL (3.13 or newer); None: there is none."""
    places = os.pathsep.join([os.environ.get("PATH", ""), *glob.glob("/opt/python3.*t/bin"),
                              *glob.glob(os.path.expanduser("~/.pyenv/versions/3.*t*/bin"))])
    for version in ("3.15t", "3.14t", "3.13t"):
        program = shutil.which(f"python{version}", path=places)
        if program:
            return program
    return None


def libpython(program):
    out = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    match = re.search(r"(/\S*libpython\S*)", out)
    return os.path.realpath(match.group(1) if match else program)


def functions(path):
    """[(name, offset in the file)] of the functions that take and drop the GIL."""
    segments = []
    out = subprocess.run(["readelf", "-lW", path], capture_output=True, text=True).stdout
    for match in re.finditer(r"LOAD\s+0x(\w+) 0x(\w+) 0x\w+ 0x(\w+)", out):
        segments.append([int(x, 16) for x in match.groups()])
    out = subprocess.run(["nm", path], capture_output=True, text=True).stdout
    places = []
    for address, name in re.findall(r"(\w+) [tT] ((?:take|drop)_gil(?:\.constprop\.\d+)?)\n", out):
        address = int(address, 16)
        for offset, start, size in segments:
            if start <= address < start + size:
                places.append((name.split("_")[0], address - start + offset))
    return places


class Witness:
    """with Witness(library) as w: ...; then w.only(tids), w.spans: [(begin, end, tid)] in ns, w.holder(ts)."""

    def __init__(self, path):
        self.path = path
        self.instance = TRACING / "instances" / f"corun-test-{os.getpid()}"
        self.group = f"corun{os.getpid()}"
        self.places = functions(path)

    @staticmethod
    def define(line):
        # open(..., "a") would seek to the end, which this file cannot.
        fd = os.open(TRACING / "uprobe_events", os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, line.encode() + b"\n")
        finally:
            os.close(fd)

    def __enter__(self):
        need_tracefs()
        lines = []
        for n, (what, offset) in enumerate(self.places):
            if what == "take":
                lines.append(f"r:{self.group}/took{n} {self.path}:0x{offset:x}")
            else:
                lines.append(f"p:{self.group}/drop{n} {self.path}:0x{offset:x}")
        for line in lines:
            self.define(line)
        self.instance.mkdir()
        (self.instance / "trace_clock").write_text("mono")
        (self.instance / "buffer_size_kb").write_text("16384")
        (self.instance / "events" / self.group / "enable").write_text("1")
        return self

    def __exit__(self, *_):
        (self.instance / "events" / self.group / "enable").write_text("0")
        self.events = []
        with open(self.instance / "trace") as file:
            for line in file:
                match = re.match(r".*-(\d+)\s+\[\d+\] \S+ +([\d.]+): (took|drop)\d+:", line)
                if match:
                    whole, part = match.group(2).split(".")
                    ns = int(whole) * 10**9 + int(part.ljust(9, "0"))
                    self.events.append((ns, match.group(3), int(match.group(1))))
        self.instance.rmdir()
        for n, (what, _offset) in enumerate(self.places):
            self.define(f"-:{self.group}/{'took' if what == 'take' else 'drop'}{n}")
        self.events.sort()

    def only(self, tids):
        """Spans of holding, by these threads: other processes run the same library."""
        self.spans = []
        holder = begin = None
        for ns, what, tid in self.events:
            if tid not in tids:
                continue
            if what == "took":
                holder, begin = tid, ns
            elif holder == tid:
                self.spans.append((begin, ns, tid))
                holder = None
        self.starts = [s[0] for s in self.spans]

    def holder(self, ts):
        """(tids that can have held it at @ts, sure): between two spans either neighbour or nobody."""
        i = bisect.bisect_right(self.starts, ts) - 1
        if i >= 0 and ts <= self.spans[i][1]:
            return {self.spans[i][2]}, True
        near = {0}
        if i >= 0:
            near.add(self.spans[i][2])
        if i + 1 < len(self.spans):
            near.add(self.spans[i + 1][2])
        return near, False

    def covers(self, ts):
        return bool(self.spans) and self.spans[0][0] <= ts <= self.spans[-1][1]
