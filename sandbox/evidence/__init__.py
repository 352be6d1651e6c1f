"""Evidence: what further executions of a run show about its claims.

The notebook's outputs are what it says; here they are held against those of other executions: in
other surroundings, on fresh draws, on the null draw. Nothing here is within reach of the notebook's
code.
"""

from sandbox.evidence.steps import Step, advance, complete, next_step
from sandbox.runs.evidenced import Asked, ask

__all__ = ["Asked", "Step", "advance", "ask", "complete", "next_step"]
