"""Measurements of the product against data and against itself."""
