"""The answer: a plan document, its tables as frames, and what they say."""

from optimizer.plan.plan import TABLES, Plan

__all__ = ["TABLES", "Plan"]
