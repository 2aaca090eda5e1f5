"""File to instance: what there is and what is wanted, strictly shaped, with every fault located."""

from optimizer.instance.calendar import Calendar
from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.load import load, parse
from optimizer.instance.schema import Instance

__all__ = ["BadInput", "Calendar", "Fault", "Instance", "load", "parse"]
