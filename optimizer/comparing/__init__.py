"""Two plans side by side: what one is worth over the other, what entered, what left, what moved, what binds."""

from optimizer.comparing.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
