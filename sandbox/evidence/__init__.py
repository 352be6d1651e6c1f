"""Evidence: what further executions of a run show about its claims.

The notebook's outputs are what it says; here they are held against those of another execution, in
other surroundings. Nothing here is within reach of the notebook's code.
"""

from sandbox.evidence.reproduced import reproduce
from sandbox.runs.evidenced import ask

__all__ = ["ask", "reproduce"]
