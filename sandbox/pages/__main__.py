"""The process of the pages: `python -P -m sandbox.pages`, started by `sandbox up`."""

from __future__ import annotations

import logging
import os
import sys

from sandbox import language
from sandbox.errors import SandboxError
from sandbox.pages.configuration import Configuration
from sandbox.pages.serving import serve
from sandbox.retold import retold
from sandbox.serving.told import first_line, say
from sandbox.settings import Settings


def main() -> int:
    """Serve as told on standard input; a fault is one line on standard output and code 2."""
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    try:
        language.use(language.choose(None, os.environ))
        settings = Settings.from_environ(os.environ)
        serve(settings, Configuration.read(first_line()))
    except SandboxError as error:
        say(ready=False, message=retold(str(error)))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
