# SPDX-License-Identifier: MIT
"""Probes that programs have already, read as what their tasks do (--probes)."""
import glob
import shutil
import subprocess
import tempfile

from lib import Skip, check, corun, no_loss, programs, record, report, run, scratch, test, top, until
from test_tasks import history

SHOP = """
# comments, and blank lines

{0} shop:request__start  begin request id=1 name=2
{0} shop:request__run    step  request id=1   # a step
{0} shop:request__lookup wait:disk request id=1
{0} shop:request__done   end request id=1
{0} shop:request__error  exception request id=1
"""


@test
def a_programs_own_probes_as_tasks():
    program = programs / "own_probes"
    if run(program).returncode == 77:
        raise Skip("sys/sdt.h is not installed")
    config = scratch / "shop.probes"
    config.write_text(SHOP.format(program))
    trace, out = record(program, options=("--probes", config), name="probes.corun")
    no_loss(report(trace))
    seen = {t["name"]: t for t in history(trace).values()}
    check(len(seen) == 8, seen)
    for line in out.splitlines():
        number, begin, *steps = map(int, line.split())
        t = seen[f"GET /{number - 100}"]
        check(t["outcome"] == ("exception" if number == 107 else "result"), t)
        check(begin <= t["begin"] <= begin + 50_000_000 and len(t["steps"]) == 2 and
              [w[0] for w in t["waits"]] == ["disk"], t)
        for (true_begin, true_end), (start, end) in zip((steps[:2], steps[2:]), t["steps"]):
            check(true_begin <= start < end <= true_end and start - true_begin < 50_000_000, number, start, true_begin)
    rows = report(trace)["tasks"]
    check(rows["concurrency"]["max"] >= 4 and all(r["kind"] == "request" for r in rows["list"]), rows)
    # Texts of the program are left out when that is asked for.
    trace, _ = record(program, options=("--probes", config, "--redact"), name="probes.corun")
    check({t["name"] for t in history(trace).values()} == {f"request {n}" for n in range(100, 108)}, history(trace))


@test
def probes_that_are_not_there_are_named():
    config = scratch / "bad.probes"
    for text, said in (("/bin/true shop:x begin", "bad.probes:1"), ("/bin/true shop:x jump kind", "bad.probes:1"),
                       ("\n/bin/true x begin kind", "bad.probes:2"), ("/bin/true a:b wait kind", "bad.probes:1"),
                       ("/bin/true a:b begin kind id=13", "id=13"), ("# nothing", "names no probe"),
                       ("/bin/true shop:x begin kind", "bad.probes:1"), ("/none shop:x begin kind", "bad.probes:1")):
        config.write_text(text + "\n")
        result = run(corun, "record", "-o", scratch / "bad.corun", "--probes", config, "--", "true")
        check(result.returncode == 1 and said in result.stderr and len(result.stderr.splitlines()) == 1, text, result)
        check(not (scratch / "bad.corun").exists(), text)
    check(run(corun, "record", "--probes", scratch / "none", "--", "true").returncode == 1)


def postgres_folder():
    """Of the newest server here whose program has the probes."""
    for path in sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True):
        if "stapsdt" in run("readelf", "-n", path + "/postgres").stdout and not run("id", "postgres").returncode:
            return path
    raise Skip("no PostgreSQL with probes here")


@test
def transactions_of_PostgreSQL():
    folder = postgres_folder()
    config = scratch / "postgresql.probes"
    config.write_text((top / "userspace/hook/postgresql.probes").read_text().replace("/usr/lib/postgresql/15/bin", folder))
    data = tempfile.mkdtemp(prefix="corun-pg-")
    shutil.chown(data, "postgres", "postgres")
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    run(*user, folder + "/initdb", "-D", data + "/d", "-A", "trust", "--no-sync", status=0, cwd="/")
    server = subprocess.Popen([*user, folder + "/postgres", "-D", data + "/d", "-k", data, "-c", "listen_addresses="],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    psql = [*user, folder + "/psql", "-q", "-h", data, "-d", "postgres", "-c"]
    trace = scratch / "postgres.corun"
    try:
        until(lambda: run(*psql, "select 1", cwd="/").returncode == 0, "PostgreSQL")
        recorder = subprocess.Popen([corun, "record", "-q", "-o", trace, "--probes", config, "--comm", "postgres"])
        until(lambda: trace.exists() and trace.stat().st_size > 16, "the recording")
        run(*psql, "begin; select pg_sleep(0.1); commit", cwd="/", status=0)
        run(*psql, "begin; select pg_sleep(0.2); rollback", cwd="/", status=0)
        recorder.terminate()
        check(recorder.wait(timeout=60) == 0, recorder.returncode)
    finally:
        server.send_signal(2)
        server.wait(timeout=60)
        shutil.rmtree(data, ignore_errors=True)
    long = [r for r in report(trace)["tasks"]["list"] if r["alive_ns"] > 90_000_000]
    check([(r["kind"], r["outcome"]) for r in long] == [("transaction", "result"), ("transaction", "cancelled")], long)
    check(all(r["time_ns"].get("poll", 0) > 90_000_000 for r in long), long)
