"""How true a replica is: facts beside every published table behind it, and a page that shows them.

From the top: page (HTML) → pictures → contradictions → facts.
"""
