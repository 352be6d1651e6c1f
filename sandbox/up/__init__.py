"""`sandbox up`: the workspace and the report pages as two watched processes, and the showcase.

One process of ours keeps the other two: it tells them their ports and tokens on their standard
input, which also is their lifeline (when it closes, they stop), starts one again that died, and
at its end stops whatever it began, down to the runs that were submitted meanwhile. Nothing of it
listens to anybody but this machine.
"""

from sandbox.up.conduct import Wishes, conduct

__all__ = ["Wishes", "conduct"]
