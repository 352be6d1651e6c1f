"""How the pages and the workspace's start page look: templates, number formats, one stylesheet.

A page extends `base.html.j2` and takes its pieces from `parts.html.j2`. Everything lies here or in
the caller's own folder of templates; nothing is fetched from outside, and nothing needs a script.
"""

from sandbox.look.environment import STATIC, environment
from sandbox.look.formats import spoken

__all__ = ["STATIC", "environment", "spoken"]
