"""Build replicas: order them, compute their shards, measure them, publish them."""

from synthetic.build.described import assumptions
from synthetic.build.order import GENERATION, Order, make_recipe, scale_text
from synthetic.build.redraw import redraw
from synthetic.build.replicas import build
from synthetic.generation.shards import shard_table, write_shard

__all__ = [
    "GENERATION",
    "Order",
    "assumptions",
    "build",
    "make_recipe",
    "redraw",
    "scale_text",
    "shard_table",
    "write_shard",
]
