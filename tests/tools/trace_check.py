"""usage: trace_check.py FILE HUBS    what a viewer of the Trace Event Format relies on, and what busy.c must have done"""

import collections
import json
import sys

with open(sys.argv[1]) as file:
    trace = json.load(file)
hubs = int(sys.argv[2])
events = trace["traceEvents"]
tracks = collections.defaultdict(list)
names = {}
counts = collections.Counter()
for event in events:
    assert event["ph"] in ("M", "X", "i"), event
    assert isinstance(event["name"], str) and isinstance(event["pid"], int), event
    if event["ph"] == "M":
        if event["name"] == "thread_name":
            names[event["tid"]] = event["args"]["name"]
        continue
    assert isinstance(event["tid"], int) and event["ts"] > 0, event
    counts[event["name"]] += 1
    if event["ph"] == "X":
        assert event["dur"] >= 0, event
        tracks[event["tid"]].append((event["ts"], event["dur"]))
    else:
        assert event["s"] == "t", event
assert sorted(names.values()) == [f"hub {i}" for i in range(hubs)], names
for track, slices in tracks.items():
    slices.sort()
    for (begin, duration), (following, _) in zip(slices, slices[1:]):
        assert begin + duration <= following + 0.002, f"slices overlap on {names.get(track, track)}"
on_hubs = sum(len(slices) for track, slices in tracks.items() if track in names)
alone = [track for track in tracks if track not in names]
assert on_hubs >= 200, f"{on_hubs} slices of 200 turns"
assert len(alone) == 4, f"{len(alone)} green threads, not 4"
assert counts["wake-up"] >= 200, f"{counts['wake-up']} wake-ups of 200 turns"
assert counts["hand-off"] == counts["goes on alone"]
if hubs == 1:
    assert counts["hand-off"] >= 1, "no hand-off beside a computation"
