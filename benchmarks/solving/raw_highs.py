"""HiGHS as anyone runs it, on an MPS: `python -m benchmarks.solving.raw_highs m.mps SECONDS THREADS SEED`."""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any

import highspy

from benchmarks.solving.news import GAP, News


def main() -> None:
    """Solve, telling of every better plan and tighter bound."""
    mps, seconds, threads, seed = sys.argv[1], *map(float, sys.argv[2:5])
    news, h = News(monotonic()), highspy.Highs()
    settings = {"output_flag": False, "threads": int(threads), "random_seed": int(seed), "mip_rel_gap": GAP,
                "time_limit": seconds}  # fmt: skip
    for name, value in settings.items():
        h.setOptionValue(name, value)
    h.readModel(mps)

    def tell(event: Any) -> None:
        news.tell(event.data_out.mip_primal_bound, event.data_out.mip_dual_bound)

    for callback in (h.cbMipImprovingSolution, h.cbMipInterrupt, h.cbMipLogging):
        callback.subscribe(tell)
    h.run()
    info = h.getInfo()
    solved = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    news.tell(info.objective_function_value if solved else None, info.mip_dual_bound)


if __name__ == "__main__":
    main()
