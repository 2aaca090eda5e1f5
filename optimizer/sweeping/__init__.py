"""Many variants of one instance: designs, members solved in parallel and kept, one tidy table, frontiers."""

from optimizer.sweeping.frontier import frontier
from optimizer.sweeping.run import sweep
from optimizer.sweeping.sweep import Sweep

__all__ = ["Sweep", "frontier", "sweep"]
