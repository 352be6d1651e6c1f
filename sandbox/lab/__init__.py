"""What a notebook imports: data to read with SQL, and a way to declare what was found.

>>> from sandbox import lab
>>> lab.table("published.admin_provinces_34").count("*").fetchall()
[(34,)]
"""

from sandbox.lab.claims import conclude, result
from sandbox.lab.data import connect, table
from sandbox.lab.wording import written

__all__ = ["conclude", "connect", "result", "table", "written"]
