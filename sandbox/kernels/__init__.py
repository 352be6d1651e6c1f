"""Kernels that run a notebook's code apart from the rest of the machine."""

from sandbox.kernels.isolation import Availability, available
from sandbox.kernels.policy import Limits, Mount, Policy

__all__ = ["Availability", "Limits", "Mount", "Policy", "available"]
