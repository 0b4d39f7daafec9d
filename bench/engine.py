"""How fast the engine is, beside blocking tasks in the same run: `make bench`.

    python -m bench.engine [COUNT …]

Every figure is a ratio or a count; bars are those the engine was built to. Exits 1 when one is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain

from bench import burst, live, naive, report, seen, writes
from bench.report import Figure

KNOWN = {200: 1.15, 1000: 1.25, 3000: 1.25}
STORED = {200: 1.35, 1000: 1.6}
MS_PER_REQUEST = 1.2
PSS_MB = 260
COMMITS, STATEMENTS = 8, 30


def baseline() -> Iterator[Figure]:
    plain = naive.measure()
    name = "blocking tasks, 4 workers: last result known, 200 at once"
    yield Figure(
        name, plain.ratio(200), "x", note=f"measured: {plain.count} in {plain.seconds:.0f} s"
    )


def bursts(counts: list[int]) -> Iterator[Figure]:
    for count in counts:
        # Three thousand are asked after less often: as in the prototype, they take three times as long.
        latency, spread = (30.0, 3.0) if count > 2000 else (10.0, 1.0)
        found = burst.measure(count, latency, spread)
        at_once, kept = f"{count} at once", STORED.get(count)
        note = f"{found.known_s:.1f} s of {found.longest_s:.1f}, {found.requests} requests"
        yield Figure(f"last result known, {at_once}", found.known, "x", KNOWN[count], note)
        note = f"{found.cpu_s:.0f} s of processor in the whole worker"
        yield Figure(f"last picture stored and rendered, {at_once}", found.stored, "x", kept, note)
        each = found.ms_per_request
        yield Figure(f"driver CPU per request, {at_once}", each, "ms", MS_PER_REQUEST)
        if count == 1000:
            yield Figure("worker tree, peak PSS", found.peak_pss_mb, "MB", PSS_MB)


def database() -> Iterator[Figure]:
    """Per run of one picture. Waiting for the provider must not cost a write."""
    runs = 20
    with burst.engine(8.0, 0.2) as site:
        commits, statements, waiting = site.shell(writes.HERE.format(count=runs))
    yield Figure("commits per run", commits / runs, "", COMMITS)
    yield Figure("write statements per run", statements / runs, "", STATEMENTS)
    note = "a lease renewed every 10 s is two"
    yield Figure(f"write statements while {runs} runs are polled", waiting, "", 2, note)


def viewers() -> Iterator[Figure]:
    yield from live.streams(500)


def main(arguments: list[str]) -> int:
    counts = [int(each) for each in arguments] or sorted(KNOWN)
    parts = (baseline(), database(), bursts(counts), seen.figures(), viewers())
    return 0 if report.write(chain.from_iterable(parts)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
