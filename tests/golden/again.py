# SPDX-License-Identifier: MIT
"""The figures once more, another way: from the list of states that the model tells, interval by interval."""
import json
import re

# A file's name in brackets may have anything in it.
STATE = re.compile(r"^ *(\d+)  thread \d+ was (\w+)(?: \(([\w-]+).*?\))?(?: on \d+)? for (\d+),", re.M | re.S)


def intervals(states):
    """(begin, end, slot) of every thread; slot: a state, or the kind that a thread waited in."""
    for end, state, kind, length in STATE.findall(states):
        yield int(end) - int(length), int(end), kind if state == "waiting" else state


def peak_and_mean(pieces, duration):
    steps = sorted([(begin, 1) for begin, _ in pieces] + [(end, -1) for _, end in pieces])
    level = highest = 0
    for _, change in steps:
        level += change
        highest = max(highest, level)
    return highest, sum(end - begin for begin, end in pieces) / duration if duration else 0


def covered(pieces):
    total = reached = 0
    for begin, end in sorted(pieces):
        total += max(0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def integral(curve):
    return sum(k * ns for k, ns in enumerate(curve["time_ns_at"]))


def differences(states, report):
    """What in @report (JSON) is not what the states add up to; nothing: all is."""
    figures = json.loads(report)
    duration = figures["window"]["duration_ns"]
    by_slot = {}
    for begin, end, slot in intervals(states):
        by_slot.setdefault(slot, []).append((begin, end))
    for slot, ns in figures["time_ns"].items():
        mine = sum(end - begin for begin, end in by_slot.get(slot, []))
        if mine != ns:
            yield f"time_ns.{slot}: {ns}, the states say {mine}"
    highest, mean = peak_and_mean(by_slot.get("running", []), duration)
    if (highest, round(mean, 6)) != (figures["parallelism"]["max"], round(figures["parallelism"]["mean_window"], 6)):
        yield f"parallelism: {figures['parallelism']}, the states say {highest} and {mean}"
    if set(figures["waiting"]) != set(by_slot) - {"running", "ready", "stopped", "unknown"}:
        yield f"waiting: {set(figures['waiting'])}, the states have {set(by_slot)}"
    for kind, waiting in figures["waiting"].items():
        highest, mean = peak_and_mean(by_slot.get(kind, []), duration)
        if (highest, round(mean, 6)) != (waiting["max"], round(waiting["mean_window"], 6)):
            yield f"waiting.{kind}: {waiting}, the states say {highest} and {mean}"
    known = duration - covered(by_slot.get("unknown", []))
    if known != figures["known"]["duration_ns"]:
        yield f"known: {figures['known']}, the states say {known}"
    for curve in ("parallelism", "concurrency", "demand"):
        parts = sum(integral(p[curve]) for p in figures["processes"] if curve in p)
        if parts != integral(figures[curve]):
            yield f"{curve}: {integral(figures[curve])}, the processes have {parts} together"
