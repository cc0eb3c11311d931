# SPDX-License-Identifier: MIT
"""What a native timeline is made of: bytes and events by kind. Only the fields that tell are looked at."""
import collections
import zlib


def varint(data, at):
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        elif tag & 7 == 1:
            value, at = int.from_bytes(data[at:at + 8], "little"), at + 8
        else:
            value, at = varint(data, at)
        yield tag >> 3, value


def varints(packed):
    return sum(byte < 128 for byte in packed)


def look(packet):
    """(kind, events in it, switches in it) of one packet."""
    for number, value in fields(packet):
        if number == 1:  # ftrace_events: compact_sched's times of switches and of wake-ups
            arrays = [dict(fields(v)) for n, v in fields(value) if n == 4]
            switches = sum(varints(a.get(1, b"")) for a in arrays)
            return "scheduling", switches + sum(varints(a.get(7, b"")) for a in arrays), switches
        if number == 11:  # track_event
            counts = dict(fields(value)).get(9) == 4
            return ("counters" if counts else "slices"), 1, 0
    return "names", 0, 0


def parts(path):
    """{kind: (bytes, compressed bytes, events)}, number of switches."""
    with open(path, "rb") as file:
        data = file.read()
    pieces, events, switches, at = collections.defaultdict(list), collections.Counter(), 0, 0
    while at < len(data):
        begin = at
        _, at = varint(data, at)
        size, at = varint(data, at)
        kind, n, more = look(data[at:at + size])
        at += size
        pieces[kind].append(data[begin:at])
        events[kind] += n
        switches += more
    joined = {kind: b"".join(list_) for kind, list_ in pieces.items()}
    return {kind: (len(d), len(zlib.compress(d, 6)), events[kind]) for kind, d in joined.items()}, switches
