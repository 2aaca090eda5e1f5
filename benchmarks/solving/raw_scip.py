"""SCIP as anyone runs it, on an MPS: `python -m benchmarks.solving.raw_scip m.mps SECONDS THREADS SEED`.

PySCIPOpt's wheels solve on one thread, whatever is asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from time import monotonic
from typing import Any

from benchmarks.solving.news import GAP, News

scip: Any = import_module("pyscipopt")  # an optional extra
EVENTS = [scip.SCIP_EVENTTYPE.BESTSOLFOUND, scip.SCIP_EVENTTYPE.LPSOLVED, scip.SCIP_EVENTTYPE.NODESOLVED]


def main() -> None:
    """Solve, telling of every better plan and tighter bound."""
    mps, seconds, _, seed = sys.argv[1], *map(float, sys.argv[2:5])
    news, model = News(monotonic()), scip.Model()
    model.hideOutput()
    model.readProblem(mps)
    model.setParams({"limits/time": seconds, "limits/gap": GAP, "randomization/randomseedshift": int(seed)})
    model.attachEventHandlerCallback(lambda m, _: news.tell(m.getPrimalbound(), m.getDualbound()), EVENTS)
    model.optimize()
    news.tell(model.getPrimalbound(), model.getDualbound())


if __name__ == "__main__":
    main()
