"""From a stated program to a proved plan: compile once, solve in a process of its own, check, report.

Nothing is imported here: the worker process loads this package too, and must start in a fraction of a second.
"""
