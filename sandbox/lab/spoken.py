"""Which language the lab answers in, and whether it answers in a run.

An interactive kernel is told the language of the person before it. A run's kernel is told none:
what it computes and says must not depend on who submitted it, so there the lab always speaks
Vietnamese, and leaves out what differs from one execution to the next, such as times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from os import environ as surroundings
from typing import ParamSpec, TypeVar

from sandbox import language

CATALOG = "SANDBOX_CATALOG"  # set for each isolated kernel: a JSON file with the shown tables

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def is_run(environ: Mapping[str, str]) -> bool:
    """Whether this process executes a submission, rather than serving a person."""
    return bool(environ.get(CATALOG)) and not environ.get(language.VARIABLE)


def spoken(environ: Mapping[str, str]) -> str:
    """Give the language of the lab's answers."""
    return "vi" if is_run(environ) else language.choose(None, environ)


def in_its_language(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Let a function answer in the language of this kernel."""

    @wraps(function)
    def answered(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        with language.speaking(spoken(surroundings)):
            return function(*args, **kwargs)

    return answered
