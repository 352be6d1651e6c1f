"""What differs between any two executions and says nothing: addresses, temporary names, timings.

Each mask takes away one known form and leaves a sign in its place, so that a text with such a form
is never equal to one without it.
"""

from __future__ import annotations

import re

from sandbox.runs.report.characters import printed

UNIT = r"(?:ns|[µμu]s|ms|s|min|h)"
TIME = rf"(?<![\d.])[\d.]{{1,12}} ?{UNIT}(?: [\d.]{{1,12}} ?{UNIT}){{0,3}}"  # long runs stay quick
RATE = r"[\d.?]{1,12} ?[^\W\d]\w{0,30}/[^\W\d]\w{0,30}"
MASKS = (
    # <object at 0x7f3a…>: the place of an object in memory.
    (re.compile(r"\bat 0x[0-9a-fA-F]{6,16}\b"), "at 0x…"),
    # Names that `tempfile` makes, and the files that IPython says cells are in.
    (re.compile(r"(?<=/)tmp[a-z0-9_]{8}\b"), "tmp…"),
    (re.compile(r"(?<=/)ipykernel_\d+(?:/\d+(?=\.py))?"), "ipykernel…"),
    # %%time and %timeit.
    (re.compile(rf"CPU times: user {TIME}, sys: {TIME}, total: {TIME}"), "CPU times: …"),
    (re.compile(rf"\bWall time: {TIME}"), "Wall time: …"),
    (
        re.compile(
            rf"{TIME} ± {TIME} per loop \(mean ± std\. dev\. of \d+ runs?, [\d,]+ loops? each\)"
        ),
        "… per loop",
    ),
    # tqdm: [00:01<00:00, 98.30it/s], and without a known end [00:01, 98.30it/s].
    (re.compile(rf"\[[\d:]{{5,8}}<[\d:?]{{1,8}}, +{RATE}"), "[…"),
    (re.compile(rf"\[[\d:]{{5,8}}, +{RATE}"), "[…"),
)


def masked(text: str) -> str:
    """Give a text as a terminal shows it in the end, without what says nothing."""
    text = printed(text)
    for form, sign in MASKS:
        text = form.sub(sign, text)
    return text
