"""The product's own solve of a file: `python -m benchmarks.solving.ours m.yaml SECONDS THREADS SEED`.

The clock starts when the instance is parsed; resolving and building count.
"""

from __future__ import annotations

import sys
from time import monotonic

from benchmarks.solving.news import GAP, News
from optimizer import load, solve


def main() -> None:
    """Solve, telling of every better plan and tighter bound; the last plan was verified against the instance."""
    instance = load(sys.argv[1])
    seconds, threads, seed = map(float, sys.argv[2:5])
    news = News(monotonic())
    plan = solve(
        instance, gap=GAP, time_limit=seconds, threads=int(threads), seed=int(seed), judge=False,
        progress=lambda p: news.tell(p.best, p.bound),
    ).document  # fmt: skip
    news.tell(plan["objective_usd"], plan["bound_usd"])


if __name__ == "__main__":
    main()
