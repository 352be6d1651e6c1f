"""The private fit: the one room that meets records of real people.

Records are counted, the counts meet noise that was paid for, and everything after that (the model,
its repair, what is drawn from it) is computed from the noisy counts alone.
"""

from synthetic.private.drawing import sample
from synthetic.private.fit import fit
from synthetic.private.noise import InsecureNoise, SecureNoise
from synthetic.private.order import Order
from synthetic.private.told import facts, told

__all__ = ["InsecureNoise", "Order", "SecureNoise", "facts", "fit", "sample", "told"]
