"""Privacy of a synthetic table: attacks on its training records, each beside its control."""

from synthetic.assess.privacy.attack import Attack, Distance, Estimate, Name, Privacy
from synthetic.assess.privacy.whole import attacks, measure

__all__ = ["Attack", "Distance", "Estimate", "Name", "Privacy", "attacks", "measure"]
