"""The independent check of a plan against its instance, and where every replica sits."""

from optimizer.verify.check import placement, verify
from optimizer.verify.placement import Gpu, NoPlacement, Placed
from optimizer.verify.rows import Row, Verification, Violation

__all__ = ["Gpu", "NoPlacement", "Placed", "Row", "Verification", "Violation", "placement", "verify"]
