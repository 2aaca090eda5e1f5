"""Instance + catalogue + speed -> Data: who may be served by what, how fast, and at what price."""

from optimizer.resolve.resolve import resolve
from optimizer.resolve.types import Resolution

__all__ = ["Resolution", "resolve"]
