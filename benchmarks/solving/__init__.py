"""Ours, raw HiGHS and raw SCIP on the same program, side by side, each in a process that can be killed."""
