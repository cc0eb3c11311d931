# SPDX-License-Identifier: MIT
"""Node's async resources against what the program noted itself."""
import json
import os
import pathlib
import shutil

from lib import check, corun, here, need, no_loss, record, remarks, report, run, scratch, test, until
from test_tasks import history

program = here / "prog/async_log.js"


@test
def async_resources_of_Node():
    need("node")
    trace, out = record("node", program, options=("--tasks=node",), name="node.corun")
    true = json.loads(out)
    check(true["options"] is None and true["argv"] == [], true)
    figures = report(trace)
    no_loss(figures)
    check(remarks(figures) == [], figures["notes"])
    seen = {t["name"].split("(")[-1].rstrip(")"): t for t in history(trace).values()}
    for name, spans in true["timers"].items():
        t = seen[name]
        check(t["outcome"] == "unknown", name, t)
        # A callback, or what goes on of it after an await, is inside a step; no two in one.
        inside = [[s for s in t["steps"] if s[0] <= begin and end <= s[1]] for begin, end in spans]
        check(all(len(i) == 1 for i in inside) and len({i[0][0] for i in inside}) == len(spans), name, spans, t["steps"])
        long = [s for s in t["steps"] if s[1] - s[0] > 1_000_000]
        check(len(long) >= len(spans) and t["waits"][0][0] == "sleep:Timeout", name, t)
    rows = figures["tasks"]["list"]
    requests = [r for r in rows if r["name"].startswith("HTTPINCOMINGMESSAGE")]
    check(len(requests) == true["requests"] == 30, len(requests), true["requests"])
    check(figures["tasks"]["concurrency"]["max"] >= 30 and figures["tasks"]["parallelism"]["max"] == 1, figures["tasks"])
    return f"{len(rows)} tasks"


@test
def children_and_worker_threads_of_Node():
    need("node")
    program = here / "prog/node_family.js"
    alone = {line["role"]: line for line in map(json.loads, run("node", program, status=0).stdout.splitlines())}
    trace, out = record("node", program, options=("--tasks=node",), name="node-family.corun")
    true = {line["role"]: line for line in map(json.loads, out.splitlines())}
    check(set(true) == set(alone) and len(true) == 11, set(true) ^ set(alone))
    for role, line in true.items():
        for key in ("options", "argv", "stack", "out"):
            check(line.get(key) == alone[role].get(key), role, key, line, alone[role])
    figures = report(trace)
    no_loss(figures)
    rows = {r["id"]: r for r in figures["tasks"]["list"]}
    role_of = lambda t: t["name"].split("(")[-1].rstrip(")")
    row_of = {role_of(r): r for r in rows.values()}
    seen = {role_of(t): (row_of[role_of(t)], t) for t in history(trace).values()}
    timers = set(true) - {"none", "execFile", "bare"}
    check("bare" not in seen, seen.get("bare"))
    for role in timers:
        check(role in seen, role, sorted(seen))
        row, t = seen[role]
        check(row["tgid"] == true[role]["pid"] and row["name"].startswith("Timeout"), role, row, true[role])
        check(sum(b <= true[role]["from"] and true[role]["until"] <= e for b, e in t["steps"]) == 1, role, t, true[role])
        in_worker = role in ("worker", "second")
        check((t["tids"] == {str(row["tgid"])}) == (not in_worker), role, t["tids"], row)
        maker = rows[row["creator"]]
        check(maker["tgid"] == row["tgid"] and
              (maker["name"] in ("worker 1", "worker 2") if in_worker else maker["name"] == "node_family.js"), role, maker)
    # A worker thread's tasks are over when it is; the processes' own, as their children, wait for those.
    check(seen["worker 1"][1]["outcome"] == seen["worker 2"][1]["outcome"] == "unknown", seen["worker 1"])
    children = [r for r in rows.values() if r["name"].startswith("PROCESSWRAP")]
    check(sum(r["time_ns"].get("child", 0) > 30_000_000 for r in children) >= 6, children)
    return f"{len(timers)} roles, {len(rows)} tasks"


@test
def Node_output_and_status_are_the_same():
    need("node")
    script = scratch / "same.js"
    script.write_text("""
const { spawnSync } = require('child_process');
const { Worker, isMainThread } = require('worker_threads');
console.log(process.env.NODE_OPTIONS, process.execArgv, Object.keys(require.cache).length, process.argv.length);
if (isMainThread) {
  console.log(spawnSync(process.execPath, ['-p', 'process.env.NODE_OPTIONS']).stdout.toString());
  new Worker(__filename).on('exit', () => {
    setTimeout(() => { throw new Error('on purpose'); }, 5);
  });
  (async () => { try { await Promise.reject(new TypeError('caught')); } catch (e) { console.log(e.stack); } })();
}
""")
    for options in (None, "--no-warnings"):
        env = {k: v for k, v in os.environ.items() if k != "NODE_OPTIONS"} | ({"NODE_OPTIONS": options} if options else {})
        alone = run("node", script, env=env)
        trace = scratch / "same-node.corun"
        recorded = run(corun, "record", "-q", "--tasks=go,node", "-o", trace, "--", "node", script, env=env)
        check((alone.stdout, alone.stderr, alone.returncode) == (recorded.stdout, recorded.stderr, recorded.returncode),
              alone, recorded)
        check(alone.returncode == 1 and report(trace)["tasks"]["count"] > 2, alone)
    # Not asked for, nothing is there.
    trace, out = record("node", "-p", "process.env.NODE_OPTIONS", name="node-off.corun")
    check("tasks" not in report(trace), out)


@test
def Nodes_and_Rubies_that_start_when_the_recorder_is_gone():
    need("node", "ruby")
    go, lines = scratch / "outlives.go", scratch / "outlives.txt"
    script = f"""exec >{lines}.new 2>&1
until [ -e {go} ]; do sleep 0.05; done
echo $CORUN_MARKS; node -p 'process.env.NODE_OPTIONS'; ruby -e 'p ENV["RUBYOPT"]'; echo done
mv {lines}.new {lines}"""
    recorder = run(corun, "record", "-d", "0.3", "--tasks=node,ruby", "-o", scratch / "outlives.corun", "--", "sh", "-c",
                   script, status=0)
    go.touch()
    until(lines.exists, "the program's output")
    folder, *rest = lines.read_text().splitlines()
    try:
        check(rest == ["undefined", "nil", "done"], rest, recorder.stderr)
        left = sorted(p.name for p in pathlib.Path(folder).rglob("*") if p.is_file())
        check(left == ["corun_node.js", "corun_ruby.rb"], left, recorder.stderr)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    check(not os.path.exists(folder), folder)


@test
def tasks_options_that_are_none():
    for text in ("", "g", "go,", "go,,node", "off,go", "nod", "ruby,rub"):
        result = run(corun, "record", "--tasks=" + text, "--", "true")
        check(result.returncode == 2 and "go,node,ruby" in result.stderr, text, result)
