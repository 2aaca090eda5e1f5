"""File to instance: what there is and what is wanted, strictly shaped, with every fault located."""

from .calendar import Calendar
from .faults import BadInput, Fault
from .load import load, parse
from .schema import Instance

__all__ = ["BadInput", "Calendar", "Fault", "Instance", "load", "parse"]
