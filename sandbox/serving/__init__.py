"""What the workspace and the report pages share: they are told one line, hold a port, and stop.

`sandbox up` starts each of them as a process, tells it on the first line of its standard input
what to serve, hears on one line of standard output how that went, and lets go of standard input
when it shall stop.
"""
