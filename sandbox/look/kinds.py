"""Words and signs for the kinds of things that pages show: states, ends, fidelity, sensitivity."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox import language
from sandbox.runs.report.words import (
    FIDELITY,
    MARGINS,
    REASONS,
    RUNNERS,
    STATES,
    STATUSES,
    Words,
)

SENSITIVITY = {
    "identifier": Words("Định danh", "identifier"),
    "quasi-identifier": Words("Gần định danh", "quasi-identifier"),
    "sensitive": Words("Nhạy cảm", "sensitive"),
    "none": Words("Thường", "ordinary"),
}
REPLICAS = {
    "ready": Words("Sẵn sàng", "Ready"),
    "building": Words("Đang dựng", "Being built"),
    "damaged": Words("Bị hỏng", "Damaged"),
    "missing": Words("Chưa có", "Not built"),
}
KINDS: Mapping[str, Mapping[str, Words]] = {
    "status": STATUSES,
    "reason": REASONS,
    "cell": STATES,
    "fidelity": FIDELITY,
    "sensitivity": SENSITIVITY,
    "replica": REPLICAS,
    "margins": MARGINS,
    "runner": RUNNERS,
}
SIGNS = {
    "succeeded": "✓",
    "ready": "✓",
    "failed": "✗",
    "damaged": "✗",
    "cancelled": "◼",
    "lost": "?",
    "missing": "–",
}


def kind(value: str, of: str) -> str:
    """Name a kind in the spoken language, `{{ run.status | kind("status") }}`; else as it is."""
    known = KINDS[of].get(value)
    if known is None:
        return value
    return (known.en if language.language() == "en" else "") or known.vi


def sign(value: str) -> str:
    """Give the sign beside a state, so that colour is never alone in telling it."""
    return SIGNS.get(value, "…")
