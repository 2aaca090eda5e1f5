"""Solvency: which AI workflows survive the unit economics of an AI factory."""
