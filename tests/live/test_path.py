# SPDX-License-Identifier: MIT
"""The critical path against programs that know who was on it."""
from lib import Skip, check, dump, no_loss, programs, record, report, test


def segments_of(figures):
    """[(begin, end, tid, state)] of the critical path, ns from the window's begin."""
    tids = {t["id"]: t["tid"] for t in figures["threads"]}
    return [(s["start_ns"], s["end_ns"], tids.get(s.get("thread")), s["state"])
            for s in figures["critical_path"]["segments"]]


def tiles(figures):
    path = figures["critical_path"]
    at = figures["window"]["begin_ns"]
    for segment in path["segments"]:
        check(segment["start_ns"] == at, "a gap in the path at", at, segment)
        at = segment["end_ns"]
    check(at == figures["window"]["begin_ns"] + figures["window"]["duration_ns"] ==
          figures["window"]["begin_ns"] + path["duration_ns"], "the path's end", at, figures["window"])
    check(sum(path["time_ns"].values()) == path["duration_ns"], path["time_ns"])


def covered(segments, tid, begin, end):
    return sum(max(0, min(e, end) - max(b, begin)) for b, e, t, _ in segments if t == tid)


def monotonic_begin(trace):
    """The window's begin on CLOCK_MONOTONIC, which the programs' stamps are of."""
    for ts, kind, fields in dump(trace):
        if kind == "window" and fields.get("begin") == "1":
            seconds, fraction = ts.split(".")
            return int(seconds) * 10**9 + int(fraction)
    raise AssertionError("the trace has no window")


def race():
    """(trace, [(tid, begin, end)] of the stages, tid of the one beside them)."""
    for _ in range(10):
        trace, out = record(programs / "relay", 30)
        no_loss(report(trace))
        lines = [line.split() for line in out.splitlines()]
        stages = [tuple(map(int, line[1:])) for line in lines if line[0] == "stage"]
        beside, done = next(map(int, line[1:]) for line in lines if line[0] == "beside")
        check(len(stages) == 3, out)
        if done < stages[-1][1]:
            return trace, stages, beside
    raise Skip("the one beside the runners came in last ten times: other programs have the CPUs")


def relay(*options):
    """Each runner is on the path for his stage, and nobody else; the one beside them never is for long."""
    trace, stages, beside = race()
    figures = report(trace, "--path", *options)
    tiles(figures)
    segments = segments_of(figures)
    origin = monotonic_begin(trace)
    stages = [(tid, begin - origin, end - origin) for tid, begin, end in stages]
    shares = [covered(segments, tid, begin, end) / (end - begin) for tid, begin, end in stages]
    check(all(share > 0.98 for share in shares), "of each stage its runner has on the path", shares, stages)
    # Each stage ends with the hand-over: in the next one he is not on the path any more.
    for (tid, _, _), (_, begin, end) in zip(stages, stages[1:]):
        check(covered(segments, tid, begin, end) < 0.02 * (end - begin), "after his stage", tid, segments)
    first, last = stages[0][1], stages[-1][2]
    check(covered(segments, beside, first, last) < 0.02 * (last - first), "beside", beside, segments)
    return "of their stages on the path: " + " ".join(f"{100 * share:.1f} %" for share in shares)


@test
def critical_path_of_a_relay():
    return relay()


@test
def critical_path_of_a_region():
    return relay("--region", "race")
