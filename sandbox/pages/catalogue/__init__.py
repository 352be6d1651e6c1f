"""The catalogue's pages: datasets, tables, columns, published tables, and the search over them."""

from sandbox.pages.catalogue.handlers import routes

__all__ = ["routes"]
