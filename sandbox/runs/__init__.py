"""Runs: a notebook is frozen, executed in an isolated kernel, recorded and reported."""

from sandbox.runs.background import cancel, start
from sandbox.runs.evidenced import ask
from sandbox.runs.registry import listed
from sandbox.runs.show import show
from sandbox.runs.submission import submit
from sandbox.runs.supervisor import Outcome, execute

__all__ = ["Outcome", "ask", "cancel", "execute", "listed", "show", "start", "submit"]
