"""Runs as packages: one signed file that others can read, check, and execute again elsewhere."""

from sandbox.exports.again import rerun
from sandbox.exports.checking import verify
from sandbox.exports.packing import export

__all__ = ["export", "rerun", "verify"]
