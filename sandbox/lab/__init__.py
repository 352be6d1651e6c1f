"""What a notebook imports: data to read with SQL, and a way to declare what was found.

>>> from sandbox import lab
>>> lab.table("published.admin_provinces_34").count("*").fetchall()
[(34,)]

In a notebook `lab.help()` shows the way on. As an extension (`%load_ext sandbox.lab`) it brings
`%%sql`; kernels of the sandbox have it from their start.
"""

from sandbox.lab.claims import conclude, result
from sandbox.lab.data import attachment, connect, describe, help, table, tables
from sandbox.lab.extension import load as load_ipython_extension
from sandbox.lab.extension import unload as unload_ipython_extension
from sandbox.lab.wording import written

__all__ = [
    "attachment",
    "conclude",
    "connect",
    "describe",
    "help",
    "load_ipython_extension",
    "result",
    "table",
    "tables",
    "unload_ipython_extension",
    "written",
]
