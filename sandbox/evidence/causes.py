"""Why a cell probably differs: what its code calls, and what the difference looks like.

A guess, and told as one: it reads the cell and the cells that made what it uses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sandbox.evidence.calls import Call, Code
from sandbox.evidence.closeness import fractions, frame
from sandbox.evidence.masks import masked


class Cause(StrEnum):
    """What a difference comes from."""

    RANDOM = "unseeded random"
    CLOCK = "clock"
    ZONE = "time zone"
    ADDRESS = "memory address"
    SETS = "set order"
    HOST = "host"
    FOLDER = "path"
    LOCALE = "locale"
    THREADS = "thread sums"
    UNKNOWN = "unknown"


NEAR = 1e-6  # of a number: more than this is no matter of the order of a sum
LONGEST = 200_000  # characters looked at
LEGACY = r"numpy\.random\.(?!seed|default_rng|RandomState|Generator|SeedSequence|PCG64)\w+"
LIBRARY = (
    r"random\.(random|randint|randrange|choices?|shuffle|sample|uniform|\w+variate|gauss|triangular|"
    r"getrandbits|randbytes)"
)
SYSTEM = r"uuid\.uuid[14]|secrets\.\w+|os\.urandom|random\.SystemRandom"
ESTIMATORS = (
    r"sklearn\.[\w.]*\.(RandomForest\w+|ExtraTrees?\w*|GradientBoosting\w+|HistGradient\w+|MLP\w+|"
    r"SGD\w+|\w*KMeans|train_test_split|\w*ShuffleSplit|permutation_importance|IsolationForest|"
    r"Bagging\w+|RandomizedSearchCV|TSNE|NMF|resample|shuffle)"
)
SQL = re.compile(r"\b(random\(\)|using\s+sample|tablesample|gen_random_uuid|uuid\(\))", re.I)
SQL_CLOCK = re.compile(r"\b(now\(\)|current_(date|time|timestamp)|today\(\))", re.I)
CALLS = (
    (Cause.CLOCK, r"time\.(time|monotonic|perf_counter|process_time|thread_time)(_ns)?"),
    (Cause.CLOCK, r"datetime\.(datetime\.|date\.)?(now|today|utcnow)"),
    (Cause.CLOCK, r"pandas\.Timestamp\.(now|today|utcnow)|pandas\.to_datetime\.now"),
    (Cause.ZONE, r"time\.(mktime|tzset)|datetime\.(datetime|date)\.fromtimestamp|.*\.astimezone"),
    (Cause.ADDRESS, r"id"),
    (Cause.SETS, r"hash|set|frozenset"),
    (Cause.HOST, r"os\.uname|platform\.(node|uname)|socket\.(gethostname|getfqdn)"),
    (
        Cause.FOLDER,
        r"os\.getcwd|os\.path\.(abspath|realpath)|.*\.(cwd|absolute|resolve)|tempfile\.\w+",
    ),
    (Cause.LOCALE, r"locale\.\w+"),
)
WITH_MOMENT = re.compile(r"time\.(localtime|gmtime|ctime|asctime)|time\.strftime")
ZONE_NAMES = re.compile(r"time\.(tzname|timezone|altzone|daylight)")


def cause(
    behind: list[Code],
    first: str,
    repeat: str,
    settings: Mapping[str, Mapping[str, Any]],
) -> Cause:
    """Give the likely cause of a difference between two texts.

    `behind` is the cell and those that it rests on, the nearest first; `settings` are the
    surroundings of the two executions.
    """
    first, repeat = masked(first[:LONGEST]), masked(repeat[:LONGEST])
    if told := _shown(first, repeat, settings):
        return told
    for code in behind:
        found = _called(code, behind)
        if Cause.CLOCK not in found and _is_near(first, repeat):
            return Cause.THREADS
        if Cause.SETS in found and _is_reordered(first, repeat):
            return Cause.SETS
        if found:
            return min(found, key=list(Cause).index)
    return Cause.SETS if _is_reordered(first, repeat) else Cause.UNKNOWN


def _shown(first: str, repeat: str, settings: Mapping[str, Mapping[str, Any]]) -> Cause | None:
    """Find the surroundings themselves in what was shown."""
    for name, found in (("host", Cause.HOST), ("folder", Cause.FOLDER), ("time_zone", Cause.ZONE)):
        one, other = settings["first"].get(name), settings["repeat"].get(name)
        if one and other and (str(other) in repeat and str(one) in first):
            return found
    return None


def _called(code: Code, behind: list[Code]) -> set[Cause]:
    """Name every cause that a cell's code holds."""
    seeded = {call.name for one in behind for call in one.calls if call.name.endswith("seed")}
    found = {cause for call in code.calls for cause in _of_call(call, seeded)}
    if code.has_sets:
        found.add(Cause.SETS)
    if any(map(ZONE_NAMES.fullmatch, code.names)):
        found.add(Cause.ZONE)
    if "__file__" in code.names:
        found.add(Cause.FOLDER)
    if SQL.search(code.text):
        found.add(Cause.RANDOM)
    if SQL_CLOCK.search(code.text):
        found.add(Cause.CLOCK)
    return found


def _of_call(call: Call, seeded: set[str]) -> set[Cause]:
    found = {cause for cause, form in CALLS if re.fullmatch(form, call.name)}
    if _is_unseeded(call, seeded):
        found.add(Cause.RANDOM)
    if WITH_MOMENT.fullmatch(call.name):
        given = call.n_arguments - (call.name == "time.strftime")
        found.add(Cause.ZONE if given else Cause.CLOCK)
    return found


def _is_unseeded(call: Call, seeded: set[str]) -> bool:
    bare = not call.n_arguments and "seed" not in call.keywords
    if re.fullmatch(r"numpy\.random\.(default_rng|RandomState|PCG64)|random\.Random", call.name):
        return bare
    if re.fullmatch(SYSTEM, call.name):
        return True
    if re.fullmatch(LEGACY, call.name):
        return "numpy.random.seed" not in seeded
    if re.fullmatch(LIBRARY, call.name):
        return "random.seed" not in seeded
    is_drawn = re.fullmatch(ESTIMATORS, call.name) or call.name.endswith(".sample")
    return bool(is_drawn) and "random_state" not in call.keywords


def _is_near(first: str, repeat: str) -> bool:
    """Whether only numbers differ, and those in their last digits."""
    one, other = fractions(first), fractions(repeat)
    return (
        bool(one)
        and frame(first) == frame(repeat)
        and one != other
        and all(abs(a - b) <= NEAR * max(abs(a), abs(b)) for a, b in zip(one, other, strict=True))
    )


def _is_reordered(first: str, repeat: str) -> bool:
    """Whether both show the same words, in another order."""
    one, other = (re.findall(r"\w+", text) for text in (first, repeat))
    return one != other and sorted(one) == sorted(other)
