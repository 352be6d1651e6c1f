"""The worker: takes runs from the queue, which is their folders, and executes them in slots.

What executes (`conduct`, `slot`) is imported by who starts a worker; who only asks does without.
"""

from sandbox.worker.progress import positions, progress
from sandbox.worker.queue import Look, Queue
from sandbox.worker.status import status
from sandbox.worker.waiting import outcome

__all__ = ["Look", "Queue", "outcome", "positions", "progress", "status"]
