"""Copies of replicas with planted defects, for people who practise cleaning."""

from synthetic.dirt.copies import Dirt, make_dirt, spoil

__all__ = ["Dirt", "make_dirt", "spoil"]
