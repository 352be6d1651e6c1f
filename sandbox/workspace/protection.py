"""The header that keeps a browser from fetching anything from outside this machine.

JupyterLab itself needs scripts and styles in the page and code made at run time (its settings'
checks, Vega's charts). So a script in a notebook's output can run; what it cannot do is to send
anything away, or to show another site.
"""

from __future__ import annotations

# The start page and the downloads need none of what JupyterLab needs.
PLAIN = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'self'; base-uri 'none'"
)
DOWNLOAD = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
)


def policy(port: int, pages_port: int | None) -> str:
    """Give the Content-Security-Policy of JupyterLab on this port."""
    frames = ["'self'", "blob:"]
    if pages_port is not None:
        frames += [f"http://{host}:{pages_port}" for host in ("127.0.0.1", "localhost")]
    return _written(
        {
            "default-src": ["'self'"],
            "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
            "style-src": ["'self'", "'unsafe-inline'"],
            "img-src": ["'self'", "data:", "blob:"],
            "media-src": ["'self'", "data:", "blob:"],
            "font-src": ["'self'", "data:"],
            "connect-src": ["'self'", f"ws://127.0.0.1:{port}", "data:", "blob:"],
            "worker-src": ["'self'", "blob:"],
            "object-src": ["'self'", "blob:"],
            "frame-src": frames,
            "frame-ancestors": ["'self'"],
            "form-action": ["'self'"],
            "base-uri": ["'self'"],
        }
    )


def _written(sources: dict[str, list[str]]) -> str:
    return "; ".join(f"{name} {' '.join(allowed)}" for name, allowed in sources.items())
