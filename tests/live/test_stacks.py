# SPDX-License-Identifier: MIT
"""--stacks and --kernel-stacks: the functions and lines that are named, against the sources."""
import pathlib
import re
import shutil
import subprocess

from lib import Skip, check, need, record, report, run, scratch, test
from pythons import all_pythons

sources = pathlib.Path(__file__).resolve().parent / "prog"


def build(name, *flags, source="call_sites.c", compiler="gcc"):
    need(compiler)
    program = scratch / name
    run(compiler, "-O2", "-fomit-frame-pointer", *flags, "-o", program, sources / source, "-lpthread", status=0)
    return program


def marks(source, word):
    """{"file:12 (function)"} of the lines of @source that say "@word function"."""
    lines = (sources / source).read_text().splitlines()
    return {f"{source}:{number} ({match.group(1)})" for number, line in enumerate(lines, 1)
            if (match := re.search(rf"(?:/\*|//|#) {word} (.*?)(?: \*/)?$", line))}


def functions(source):
    """Line -> the function that it stands in, of a C file in the kernel's style."""
    table, name = {}, None
    for number, line in enumerate((sources / source).read_text().splitlines(), 1):
        match = re.match(r"[a-zA-Z].*?(\w+)\([^;]*$", line)
        name = match.group(1) if match else name
        table[number] = name
        name = None if line == "}" else name
    return table


def stacks(figures):
    """Every call's chains of call sites, as lists of lines."""
    return [site["stack"] for call in figures["syscalls"] for site in call.get("sites", ())]


def sites(figures):
    return {stack[0] for stack in stacks(figures)}


def judge_chains(figures, source):
    """Every line is in the function that is named, and calls the one before it."""
    table, text = functions(source), (sources / source).read_text().splitlines()
    judged = 0
    for stack in stacks(figures):
        called = None
        for line in stack:
            match = re.match(rf"{re.escape(source)}:(\d+) \((\w+)\)$", line)
            if not match:
                check(called is None, "what is this in", stack)
                continue
            number, name = int(match.group(1)), match.group(2)
            check(table[number] == name, line, "stands in", table[number])
            check(called is None or f"{called}(" in text[number - 1], line, "does not call", called)
            called, judged = name, judged + 1
        check(called in (None, "main", "fighter"), "a chain ends in", called, stack)
    return judged


@test
def call_sites_of_C_without_frame_pointers():
    trace, _ = record(build("sites-c", "-g"), options=("--stacks", "--kernel-stacks"))
    figures = report(trace)
    missing = marks("call_sites.c", "WAIT") - sites(figures)
    check(not missing, "not named:", missing)
    mutex = [lock for lock in figures["locks"] if lock["kind"] == "mutex"]
    fight = next(site for site in marks("call_sites.c", "WAIT") if "(fight)" in site)
    check(mutex and all(lock["site"] == fight for lock in mutex), mutex)
    own = [stack for stack in stacks(figures) if "call_sites.c" in stack[0]]
    check(own, "no stacks")
    return f"{judge_chains(figures, 'call_sites.c')} lines of {len(own)} chains right, none wrong"


@test
def the_kernels_function_of_a_wait():
    trace, _ = record(build("sites-k"), options=("--kernel-stacks",))
    found = {call["name"]: [f["site"] for f in call.get("kernel", ())] for call in report(trace)["syscalls"]}
    for call, part in (("read", "pipe"), ("flock", "lock"), ("futex", "futex"), ("clock_nanosleep", "sleep")):
        if not found.get(call):
            raise Skip("this kernel does not name its functions")
        check(any(part in name for name in found[call]), call, "waits in", found[call])
        check(not any(name.startswith(("schedule", "__schedule", "bpf")) for name in found[call]), found)
    return str(found)


@test
def call_sites_without_debug_information():
    trace, _ = record(build("sites-plain"), options=("--stacks",))
    named = sites(report(trace))
    for name in ("nap", "fight", "drain", "own_file"):
        check(any(re.match(rf"{name}\+0x\w+ \(sites-plain\)$", site) for site in named), name, "in", named)
    return str(sorted(named))


@test
def call_sites_of_a_stripped_program():
    need("addr2line", "strip")
    whole = build("sites-whole")
    stripped = scratch / "sites-stripped"
    run("strip", "-o", stripped, whole, status=0)
    trace, _ = record(stripped, options=("--stacks",))
    seen = set()
    for stack in stacks(report(trace)):
        for line in stack:
            match = re.match(r"sites-stripped\+0x(\w+)$", line)
            if match:
                # What stands there is the place behind a call.
                out = run("addr2line", "-f", "-e", whole, hex(int(match.group(1), 16) - 1), status=0).stdout
                seen.add(out.split()[0])
    own = set(functions("call_sites.c").values()) - {None} | {"_start"}
    check({"nap", "fight", "drain", "own_file", "feed", "main"} <= seen, "not met:", seen)
    check(seen <= own, "no functions of the program:", seen - own)
    return f"{len(seen)} functions met"


@test
def call_sites_of_a_process_that_is_gone_and_its_file_too():
    program = build("sites-gone", "-g")
    twin = scratch / "sites-twin"
    shutil.copy(program, twin)
    trace, _ = record("sh", "-c", f"{twin}; rm {twin}; sleep 0.2", options=("--stacks",))
    missing = marks("call_sites.c", "WAIT") - sites(report(trace))
    check(not missing, "not named:", missing)
    return "all named"


@test
def code_that_no_file_holds_is_unknown():
    trace, _ = record(build("sites-jit", "-g"), "anonymous", options=("--stacks",))
    found = [stack for stack in stacks(report(trace)) if "unknown" in stack]
    check(["unknown"] in found, "sleeps in anonymous code:", found)
    check(any("(nap)" in stack[0] and stack[1:] == ["unknown"] for stack in found), "called from it:", found)
    check(all(stack.index("unknown") == len(stack) - 1 for stack in found), "goes on behind it:", found)
    return str(found)


@test
def call_sites_of_Cpp():
    trace, _ = record(build("sites-cpp", "-g", source="call_sites.cc", compiler="g++"), options=("--stacks",))
    figures = report(trace)
    missing = marks("call_sites.cc", "WAIT") - sites(figures)
    check(not missing, "not named:", missing, "of", sites(figures))
    check(not any("_Z" in site or "std_mutex" in site for site in sites(figures)), sites(figures))
    return str(sorted(marks("call_sites.cc", "WAIT")))


def make_python(version, program):
    def lines_of_Python():
        trace, _ = record(program, sources / "call_sites.py", options=("--stacks",))
        figures = report(trace)
        named = {site for site in sites(figures) if site.startswith("call_sites.py")}
        waits, gil = marks("call_sites.py", "WAIT"), marks("call_sites.py", "GIL")
        check(waits <= named, "not named:", waits - named, "of", named)
        check(named & gil, "the burners wait for the GIL nowhere:", named)
        # Threads begin and end in functions that wait for nothing but the GIL.
        wrong = {site for site in named - waits - gil if not site.endswith(("(main)", "(worker)", "(<module>)", "(burn)", "(critical)"))}
        check(not wrong, "invented:", wrong)
        lock = max((l for l in figures["locks"] if l["kind"] == "mutex"), key=lambda l: l["wait_ns"])
        check(lock["site"] in waits, lock)
        return f"lock at {lock['site']}, {len(named)} places"
    lines_of_Python.__name__ = f"lines of Python {version}"
    test(lines_of_Python)


for each, path in all_pythons().items():
    if int(each.split(".")[1]) >= 11:
        make_python(each, path)
if subprocess.run(["/usr/bin/python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))"],
                  capture_output=True).returncode == 0:
    make_python("of the system", "/usr/bin/python3")
