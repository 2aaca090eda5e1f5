"""What binds in a plan, what it is worth to loosen it, why a workflow is not funded, and what would change that."""

from optimizer.explaining.explain import explain
from optimizer.explaining.explanation import Explanation

__all__ = ["Explanation", "explain"]
