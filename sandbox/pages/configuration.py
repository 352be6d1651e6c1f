"""What the process is told on the first line of its standard input."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from sandbox.serving import told
from sandbox.serving.ports import HOST


class Configuration(BaseModel):
    """Where to listen, what opens the door, what signs addresses, and where the workspace is."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    port: int = Field(ge=1, le=65535)
    token: str = Field(min_length=16)
    key: str = Field(pattern=r"^[0-9a-fA-F]{32,}$")  # hexadecimal, 16 bytes or more
    workspace: str | None = Field(default=None, pattern=r"^http://127\.0\.0\.1:\d{1,5}$")

    @classmethod
    def read(cls, line: bytes) -> Configuration:
        """Read the line, or say which part of it is wrong, never the secrets in it."""
        return told.read(cls, line)

    @property
    def session_host(self) -> str:
        """The only `Host` under which pages are served."""
        return f"{HOST}:{self.port}"

    @property
    def reports_host(self) -> str:
        """The only `Host` under which reports are served."""
        return f"localhost:{self.port}"

    @property
    def session_origin(self) -> str:
        """The origin of the pages."""
        return f"http://{self.session_host}"

    @property
    def reports_origin(self) -> str:
        """The origin of the reports."""
        return f"http://{self.reports_host}"
