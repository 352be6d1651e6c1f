"""Errors that a person may meet and mend. Anything else is a defect and keeps its traceback."""

from __future__ import annotations


class SandboxError(Exception):
    """A mistake or a missing thing, told with what to do about it."""

    exit_code = 2


class SettingsError(SandboxError):
    """The environment asks for something that cannot be."""


class CatalogError(SandboxError):
    """A dataset, a replica or a table is not there."""


class NotebookError(SandboxError):
    """A file is not a notebook that can be submitted."""


class AttachmentError(SandboxError):
    """A file cannot travel with a submission, or cannot be read where it did."""


class ParameterError(SandboxError):
    """A parameter is unknown, of a wrong type, or not declared as it must be."""

    def __init__(
        self, message: str, *, parameter: str | None = None, example: str | None = None
    ) -> None:
        super().__init__(message)
        self.parameter = parameter  # whose fault it is, where that is known
        self.example = example  # a value that would fit, as one types it


class RunError(SandboxError):
    """A run is not there, or cannot be moved as asked."""


class TakenError(RunError):
    """Another process works on the run."""


class StateError(RunError):
    """A run is asked to move to a state that its present one does not lead to."""


class SigningError(SandboxError):
    """A key is not there, or is not one."""


class PackageError(SandboxError):
    """A package of a run cannot be made, or is none."""


class IsolationError(SandboxError):
    """This machine cannot isolate a notebook; the message says why and what mends it."""

    exit_code = 5


class NotReadyError(IsolationError):
    """A kernel did not come to its start; a moment later it may."""


class ServerError(SandboxError):
    """The workspace or the pages cannot be served as asked."""
