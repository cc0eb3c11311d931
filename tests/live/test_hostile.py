# SPDX-License-Identifier: MIT
"""What is looked at is not what it should be: damaged and huge files, memory that goes away, processes that
change. The recording goes on, nothing is invented, and the report says what could not be read."""
import os
import random
import re
import shutil
import struct
import subprocess

from lib import (Skip, check, corun, dump, here, identity, no_loss, programs, record, recording, report, run, scratch,
                 test, until)
from pythons import all_pythons, libpython
from test_gil import gil_locks, unknown_once_known
from test_locks import futex_waits, judge
from test_stacks import build

SECTION = struct.Struct("<IIQQQQIIQQ")


def elf_head(sections, count):
    """A header and one segment of an ELF file whose table of sections stands at @sections."""
    return (b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, sections, 0, 64, 56, 1, 64, count, 0)
            + struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 4096, 4096, 4096))


def section(kind, offset, size, link=0):
    return SECTION.pack(0, kind, 0, 0, offset, size, link, 0, 8, 24)


def write(path, size, *parts):
    with open(path, "wb") as file:
        file.truncate(size)
        for offset, data in parts:
            file.seek(offset)
            file.write(data)


def damaged(program, name):
    """A copy that runs as well as before, but whose table of sections is garbage."""
    data = bytearray(open(program, "rb").read())
    (at,), (count,) = struct.unpack_from("<Q", data, 40), struct.unpack_from("<H", data, 60)
    for i in range(at, at + 64 * count):
        data[i] = data[i] * 7 + i & 0xff
    path = scratch / name
    path.write_bytes(data)
    os.chmod(path, 0o755)
    return path


def recorded(*command, options=()):
    """(trace, output, kB that the recorder took at most)"""
    trace = scratch / "hostile.corun"
    with open(scratch / "out", "w+") as out:
        child = subprocess.Popen([str(c) for c in (corun, "record", "-q", "-o", trace, *options, "--", *command)], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        check(child.returncode == 0, command, "status", child.returncode)
        out.seek(0)
        return trace, out.read(), usage.ru_maxrss


def said(figures, *words):
    notes = [note for note in figures["notes"] if all(word in note for word in words)]
    check(len(notes) == 1, "not said once:", words, "in", figures["notes"])
    return notes[0]


@test
def program_whose_elf_tables_are_garbage():
    trace, out, _ = recorded(damaged(programs / "lock_kinds", "bent"), "normal", options=["--stacks"])
    figures = report(trace)
    note = judge(trace, out)
    said(figures, "/bent ", "no sound ELF file", "runtime")
    said(figures, "bent ", "no sound ELF file", "call site")
    return note


@test
def program_whose_debug_information_is_garbage():
    """Its tables are where they should be; what stands in them is not: some of .eh_frame, .debug_*."""
    whole = bytearray(build("sites-whole", "-g").read_bytes())
    out = run("readelf", "-SW", scratch / "sites-whole", status=0).stdout
    places = [(int(at, 16), int(size, 16)) for at, size in
              re.findall(r" \.(?:eh_frame|debug_)\S*\s+\S+\s+\w+ (\w+) (\w+)", out)]
    check(len(places) > 5, out)
    for seed in range(5):
        chance, data = random.Random(seed), bytearray(whole)
        for at, size in places:
            for _ in range(size // 10 ** (seed % 3 + 1) + 1):
                data[at + chance.randrange(size)] = chance.randrange(256)
        path = scratch / "sites-bent"
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        os.chmod(path, 0o755)
        trace, _, _ = recorded(path, options=["--stacks"])
        figures = report(trace)
        no_loss(figures)
        identity(figures)
        check(any(call["name"] == "futex" for call in figures["syscalls"]), "seed", seed, figures["syscalls"])
    return "5 kinds of damage"


@test
def python_whose_elf_tables_are_garbage():
    program = "/usr/bin/python3"
    if libpython(program) != os.path.realpath(program):
        raise Skip(f"{program} is not one file")
    trace, _, _ = recorded(damaged(os.path.realpath(program), "python3.bent"), here / "prog/gil.py", "0.3")
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    check(not gil_locks(figures), "believed:", figures["locks"])
    return said(figures, "python3.bent", "no sound ELF file")


@test
def files_of_2_GB():
    """A Python of 2 GB that is in order is read as any; libraries that say they have 33 million sections,
    or 300 tables of 63 MiB at one place, are not."""
    huge = 2 << 30
    many, same = scratch / "libpython-many.so", scratch / "libpython-same.so"
    write(many, huge, (0, elf_head(4096, 0)), (4096, section(0, 0, (huge - 4096) // 64)))
    tables = section(0, 0, 0) + section(3, 1 << 20, 4096) + 300 * section(2, 2 << 20, 63 << 20, 1)
    write(same, huge, (0, elf_head(1 << 30, 302)), (1 << 30, tables))
    program = scratch / "python3"
    shutil.copy(os.path.realpath("/usr/bin/python3"), program)
    os.truncate(program, huge)
    trace, _, kilobytes = recorded(program, here / "prog/gil.py", "0.5", options=["--stacks"])
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    gil = gil_locks(figures)
    check(len(gil) == 1 and unknown_once_known(trace, gil[0]) <= 0.04, figures["locks"])
    trace, _, more = recorded(programs / "comes_and_goes", "mapped", many, same, options=["--stacks"])
    figures = report(trace)
    no_loss(figures)
    for path in (many, same):
        said(figures, path.name, "no sound ELF file", "runtime")
    # Believing them takes 8 and 19 GB.
    check(max(kilobytes, more) < 500_000, "the recorder took", kilobytes, "and", more, "kB")
    return f"the recorder took {max(kilobytes, more) // 1024} MB at most"


@test
def futex_in_memory_that_is_gone():
    trace = scratch / "unmapped.corun"
    with subprocess.Popen([programs / "comes_and_goes", "unmapped"], stdout=subprocess.PIPE, text=True) as child:
        check(child.stdout.readline() == "gone\n", "no futex")
        run(corun, "record", "-q", "-o", trace, "-d", "0.5", "-p", child.pid, status=0)
        child.kill()
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    asleep = [f for _, kind, f in dump(trace) if kind == "thread" and f.get("call") == "futex"]
    check(len(asleep) >= 4, "threads asleep in a futex:", asleep)
    check(not any(lock["holders"] for lock in figures["locks"] if lock["kind"] != "join"), figures["locks"])
    return said(figures, "memory of the futex could not be read")


@test
def process_that_has_ended_but_is_not_reaped():
    child = subprocess.Popen(["true"])
    until(lambda: open(f"/proc/{child.pid}/stat").read().split()[2] == "Z", "a zombie")
    result = run(corun, "record", "-q", "-o", scratch / "zombie.corun", "-p", child.pid, status=0, timeout=60)
    child.wait()
    check("it had ended" in result.stderr, result.stderr)


@test
def library_that_comes_and_goes():
    """A libpython without a running Python in it, mapped and unmapped while its process is looked at."""
    library = next((path for program in all_pythons().values() if (path := libpython(program)).endswith(".so.1.0")), None)
    if not library:
        raise Skip("there is no shared libpython")
    trace, _, _ = recorded(programs / "comes_and_goes", "library", library, options=["--stacks"])
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    check(not gil_locks(figures), "believed:", figures["locks"])
    waits = [w for w in futex_waits(trace) if w[2] != "join"]
    mutex = sum(kind == "mutex" for _, _, kind, _ in waits)
    check(mutex >= 0.99 * len(waits) > 20, mutex, "of", len(waits))
    return f"{mutex} of {len(waits)} waits named"


@test
def process_that_becomes_another_while_looked_at():
    trace, _, _ = recorded(programs / "comes_and_goes", "exec", "60", options=["--stacks"])
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    images = sum(len(p["images"]) for p in figures["processes"])
    check(images == 61, images, "images")
    mine = {t["tid"] for t in figures["threads"]}
    for ts, tid, kind, owner in futex_waits(trace):
        check(kind in ("mutex", "futex") and owner in mine | {None, 0}, tid, kind, owner)
    return f"{images} programs, one after the other"
