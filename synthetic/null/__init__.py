"""Null draws: replicas whose columns do not depend on each other, for runs that need a control."""
