#!/bin/sh
# The bench measures, and says so in tables, in JSON lines and in pictures.
# usage: bench_run.sh build/libevy.so
set -u
# shellcheck source=tests/tools/common.inc
. "$(dirname "$0")/common.inc"

said=$(/usr/bin/python3 "$(dirname "$0")/../bench/run.py" --build "$(dirname "$1")" --rounds 1 --seconds 0.1 \
    --connections 50 --only echo,startup --quick --json "$dir/bench.jsonl" 2>&1)
contains 'the yardstick' "$said" '1.00 (1.00-1.00)'
contains 'start-up' "$said" 'preloaded'
verdict 'JSON lines of every contestant' "$(/usr/bin/python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
cpu = {line["contestant"]: line["cpu_us"] for line in lines if "cpu_us" in line}
wanted = {"native threads", "libevy", "epoll loop", "evy_pool", "bufferevent"}
print("" if wanted <= set(cpu) and min(cpu.values()) > 0 and lines[-1]["libevy_us"] > 0 else lines)' \
    "$dir/bench.jsonl" 2>&1)"
verdict 'a picture' "$(/usr/bin/python3 -c '
import sys, xml.etree.ElementTree as tree
bars = len(tree.parse(sys.argv[1]).getroot().findall(".//{*}circle"))
print("" if bars >= 5 else f"{bars} dots")' "$dir/bench.svg" 2>&1)"

said=$(/usr/bin/python3 "$(dirname "$0")/../bench/scale.py" --build "$(dirname "$1")" --rounds 1 --most 100 --out "$dir" 2>&1)
contains 'the cost of an operation by the number of threads' "$said" 'create, fresh memory'
verdict 'a line of each kind of threads' "$(/usr/bin/python3 -c '
import json, sys
costs = {line["contestant"]: line["yield"] for line in map(json.loads, open(sys.argv[1]))}
print("" if set(costs) == {"native", "pthread", "light"} and min(costs.values()) > 0 else costs)' "$dir/scale.jsonl" 2>&1)"
verdict 'a picture of them' "$(/usr/bin/python3 -c '
import sys, xml.etree.ElementTree as tree
lines = len(tree.parse(sys.argv[1]).getroot().findall(".//{*}polyline"))
print("" if lines >= 20 else f"{lines} lines")' "$dir/scale.svg" 2>&1)"
finish
