# SPDX-License-Identifier: MIT
"""One line that says what is wrong and what to do; nothing half-written; what was recorded is kept."""
import os
import pathlib
import subprocess

from lib import check, corun, need, programs, record, report, run, scratch, test


def complains(status, *command, says="", **options):
    result = run(*command, **options)
    check(result.returncode == status, command, "status", result.returncode, result.stderr)
    check(len(result.stderr.strip().splitlines()) == 1, "not one line:", result.stderr)
    check(says in result.stderr, "does not say", says, ":", result.stderr)
    return result


@test
def no_such_command():
    trace = scratch / "none.corun"
    complains(1, corun, "record", "-o", trace, "--", "/no/such/command", says="no command")
    check(not trace.exists(), "a trace was left")


@test
def no_such_process():
    complains(1, corun, "record", "-p", "4194303", says="no process")


@test
def wrong_usage():
    complains(2, corun, "record", says="what to record")
    complains(2, corun, "record", "--nonsense", says="--help")
    complains(2, corun, "record", "-d", "soon", "--", "true", says="duration")
    complains(2, corun, "report", says="one trace")
    complains(2, corun, "export", "-f", "pdf", "x", says="no format")
    complains(2, corun, "frobnicate", says="no verb")
    complains(2, corun, "record", "-p", "1", "--", "true", says="one of")
    complains(2, corun, "record", "--parked", "nonsense", "--", "true", says="wait kind")


@test
def not_root():
    need("setpriv")
    binary = scratch / "corun-user"
    binary.write_bytes(pathlib.Path(corun).read_bytes())
    os.chmod(binary, 0o755)
    os.chmod(scratch, 0o755)
    folder = scratch / "nobody"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    result = run(*user, binary, "record", "--", "true", cwd=folder)
    check(result.returncode == 1 and "root" in result.stderr, result)
    check(len(result.stderr.splitlines()) == 1 and not list(folder.iterdir()), result, list(folder.iterdir()))
    result = run(*user, binary, "doctor")
    check(result.returncode == 1 and "remedy" in result.stdout, result)


@test
def full_disk_keeps_what_was_recorded():
    folder = scratch / "full"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder, status=0)
    try:
        trace = folder / "t.corun"
        result = run(corun, "record", "-q", "-o", trace, "--", "sh", "-c",
                     "i=0; while [ $i -lt 1500 ]; do /bin/true; i=$((i+1)); done")
        check(result.returncode == 1 and "No space" in result.stderr, result)
        check(len(result.stderr.splitlines()) == 1, result.stderr)
        figures = report(trace)
        check(figures["losses"]["trace"] == "cut" and figures["time_ns"]["running"] > 0, figures["losses"])
        out = folder / "x.json"
        result = run(corun, "export", trace, "-o", out)
        check(result.returncode == 1 and not out.exists(), result)
        check([p.name for p in folder.iterdir()] == ["t.corun"], list(folder.iterdir()))
    finally:
        run("umount", folder)


@test
def files_that_are_no_trace():
    bad = scratch / "bad"
    bad.write_text("hello")
    for verb in ("report", "export", "dump"):
        complains(1, corun, verb, bad, says="no corun trace")
        complains(1, corun, verb, scratch / "missing", says="cannot open")
        complains(1, corun, verb, scratch, says="folder")
    bad.write_bytes(b"CORUN\x1a\r\n\x09\0\0\0\0\0\0\0")
    complains(1, corun, "report", bad, says="version 9")
    bad.write_bytes(b"")
    complains(1, corun, "report", bad, says="empty")


@test
def cut_trace_is_read_as_far_as_it_goes():
    trace, _ = record(programs / "burn", 2, 0.8)
    data = trace.read_bytes()
    cut = scratch / "cut.corun"
    cut.write_bytes(data[:len(data) * 2 // 3])
    figures = report(cut)
    check(figures["losses"]["trace"] == "cut", figures["losses"])
    result = run(corun, "export", cut, "-o", scratch / "cut.json")
    check(result.returncode == 0 and "cut" in result.stderr, result)


@test
def unwritable_folder():
    complains(1, corun, "record", "-o", "/proc/x.corun", "--", "true", says="cannot create")
    complains(1, corun, "record", "-o", "/nonexistent/x.corun", "--", "true", says="cannot create")


@test
def a_planted_link_is_not_followed():
    victim = scratch / "victim"
    victim.write_text("precious")
    link = scratch / "link.corun"
    link.symlink_to(victim)
    complains(1, corun, "record", "-o", link, "--", "true", says="symbolic link")
    check(victim.read_text() == "precious")


@test
def closed_pipe_is_no_crash():
    trace, _ = record(programs / "burn", 2, 0.3)
    for verb in (["dump", trace], ["export", trace, "-o", "-"], ["report", trace]):
        shell = subprocess.run(f"{corun} {' '.join(map(str, verb))} 2>&1 >/dev/full | head -c 300",
                               shell=True, capture_output=True, text=True)
        check("cannot write" in shell.stdout, verb, shell)


@test
def a_cut_trace_stays_cut_through_text():
    trace, _ = record(programs / "burn", 2, 0.3, name="whole.corun")
    cut, text, packed = scratch / "cut.corun", scratch / "cut.txt", scratch / "packed.corun"
    cut.write_bytes(trace.read_bytes()[:-20])
    result = run(corun, "dump", cut)
    check("cut" in result.stderr and result.stdout.endswith("# cut\n"), result.stderr, result.stdout[-200:])
    text.write_text(result.stdout)
    check(report(text)["losses"]["trace"] == "cut", "text")
    run(corun, "dump", "--pack", text, "-o", packed)
    check(report(packed)["losses"]["trace"] == "cut", "packed")
    complains(2, corun, "dump", "--pack", text, "-o", text, says="write over")
    check(text.read_text() == result.stdout, "the text was touched")
    (scratch / "other.txt").write_text("# corun text 12\n")
    complains(1, corun, "dump", scratch / "other.txt", says="another version")


@test
def redaction_leaves_out_arguments_and_folders():
    folder = scratch / "a-secret-place"
    folder.mkdir()
    (folder / "data").write_bytes(os.urandom(1 << 20))
    trace, _ = record("/bin/sh", "-c", f"cat {folder}/data | sleep 0.01; true", options=["--redact"])
    text = run(corun, "dump", trace, status=0).stdout
    check("secret" not in text and "/bin" not in text, text)
    check('comm="sleep"' in text, text)


def largest(path):
    """Peak resident size of a report in kB. wait4() tells it of this one child."""
    child = subprocess.Popen([corun, "report", path], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    check(child.returncode == 0, child.returncode)
    return usage.ru_maxrss


@test
def a_report_takes_no_more_memory_for_a_longer_trace():
    top = pathlib.Path(corun).resolve().parent.parent
    generator = top / "build/tests/bench/gen_trace"
    subprocess.run(["make", "-s", generator.relative_to(top)], cwd=top, check=True)
    sizes = []
    # Both have more states than a plain report keeps for the critical path.
    for records in (2_500_000, 5_000_000):
        path = scratch / "long.corun"
        subprocess.run([generator, path, str(records)], check=True, stdout=subprocess.DEVNULL)
        sizes.append(largest(path))
        path.unlink()
    check(sizes[1] < 1.1 * sizes[0], f"{sizes[0]} kB, of twice as many records {sizes[1]} kB")
