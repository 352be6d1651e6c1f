"""The report of a run: one HTML file without scripts that a minister can read and print.

Made from the run's own files and the manifests of its inputs. What a notebook wrote (text, HTML,
pictures, names, values) is hostile until one of the filters here has passed it on; the border is
the folder of one run, and nothing is fetched from anywhere.
"""

from __future__ import annotations

from sandbox.runs.report.render import render

__all__ = ["render"]
