"""What binds in a plan, what it is worth to loosen it, why a workflow is not funded, and what would change that."""

from optimizer.explain.explain import explain
from optimizer.explain.explanation import Explanation

__all__ = ["Explanation", "explain"]
