"""The report pages: runs, their progress and reports, and the catalogue, in a browser.

A process of its own on this machine only, behind a token. Starlette rather than FastAPI: what is
served here is HTML, one stream of events and files. There is no JSON API to describe, and so
nothing that FastAPI would add to Starlette.

Two host names share one port, since cookies tell hosts apart but not ports: the person's session
lives on 127.0.0.1, and reports, which hold what notebooks wrote, are served on localhost alone,
under short-lived signed addresses, where no cookie of the session is ever sent.
"""
