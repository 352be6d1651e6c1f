"""Figures that other tools give for small tables, and the tables."""
