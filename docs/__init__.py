"""The documentation, and what keeps its output real."""
