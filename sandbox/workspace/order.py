"""What the one line on standard input asks for: port, token, work folder, the pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field

from sandbox.errors import ServerError
from sandbox.kernels import Limits
from sandbox.serving import told
from sandbox.serving.ports import HOST
from sandbox.settings import Settings
from sandbox.workspace.places import Places, work_folder

# A person thinks between two cells, so time is no measure of a session.
ENDLESS_S = 10 * 366 * 24 * 3600
INTERACTIVE = Limits(wall_s=ENDLESS_S, cpu_s=7 * 24 * 3600)


class PagesTold(BaseModel):
    """Where the report pages are."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: str = Field(pattern=r"^http://127\.0\.0\.1:\d{1,5}/?$")
    token: str = Field(min_length=1)


class Told(BaseModel):
    """The line, checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    port: int = Field(ge=1, le=65535)
    token: str = Field(min_length=16)
    root: str
    pages: PagesTold | None = None
    limits: dict[str, int] = Field(default_factory=dict)  # of interactive kernels, by name


@dataclass(frozen=True, kw_only=True)
class Order:
    """One workspace that is to be served."""

    port: int
    token: str = field(repr=False)
    root: Path
    pages: PagesTold | None = field(repr=False)
    settings: Settings
    places: Places
    limits: Limits

    @classmethod
    def read(cls, line: bytes, settings: Settings) -> Order:
        """Read the line and make the folders."""
        asked = told.read(Told, line)
        return cls(
            port=asked.port,
            token=asked.token,
            root=work_folder(asked.root),
            pages=asked.pages,
            settings=settings,
            places=Places.prepare(settings),
            limits=_limits(asked.limits),
        )

    @property
    def pages_port(self) -> int | None:
        """The port of the pages, if there are any."""
        return None if self.pages is None else urlsplit(self.pages.url).port

    def address(self, path: str) -> str | None:
        """Give the address of a page that logs in by itself; None without pages."""
        if self.pages is None:
            return None
        query = urlencode({"token": self.pages.token, "next": path})
        return f"{self.pages.url.rstrip('/')}/?{query}"

    @property
    def url(self) -> str:
        """The address of the workspace, which logs in by itself."""
        return f"http://{HOST}:{self.port}/?{urlencode({'token': self.token})}"


def _limits(given: dict[str, int]) -> Limits:
    try:
        return Limits(**{**INTERACTIVE.to_record(), **given})
    except TypeError as error:
        raise ServerError(f"there is no such limit: {error}") from error
