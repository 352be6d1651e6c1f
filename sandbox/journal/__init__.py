"""The log of an installation: one line for each change of a run's state and each end of evidence.

Lines are chained by their hashes and signed with the installation's key, so an edit, a removal or
another order shows. A line holds names, words and hashes; nothing of what a run is about.
"""

from sandbox.journal.checking import Checked, check
from sandbox.journal.reading import lines
from sandbox.journal.writing import append

__all__ = ["Checked", "append", "check", "lines"]
