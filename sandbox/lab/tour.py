"""`lab.help()`: the way on for a newcomer, in one screen."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox import catalog
from sandbox.lab import connection
from sandbox.lab.shown import Shown, code, heading, paragraph, together
from sandbox.lab.spoken import in_its_language
from sandbox.language import _, either
from synthetic import statistics

QUERY = """%%sql
SELECT province_code, count(*) AS n
FROM population.persons GROUP BY province_code ORDER BY n DESC"""


@in_its_language
def help(environ: Mapping[str, str]) -> Shown:
    """Say what is here, what to copy, how to declare, submit and read on."""
    return together(
        [
            heading(_("1. What data are here")),
            _data(environ),
            heading(_("2. Ask a question: copy these lines into a cell")),
            code(QUERY),
            paragraph(
                _(
                    "“%%sql name <<” keeps the rows as a frame; Tab completes tables and columns; "
                    "“%%sql?” tells the rest. Elsewhere than here run %load_ext sandbox.lab first."
                )
            ),
            heading(_("3. Declare what you found")),
            code(
                'lab.result({name}, 10.2, unit="%", n=1200)'.format(
                    name=repr(_("share of people aged 65 and over"))
                ),
                "lab.conclude({sentence}, holds=a > b)".format(
                    sentence=repr(_("A has more than B"))
                ),
            ),
            heading(_("4. Submit")),
            paragraph(
                _(
                    "Press Submit on the notebook's toolbar. It runs from top to bottom in a fresh, "
                    "isolated kernel, and becomes a report."
                )
            ),
            heading(_("5. Read on")),
            paragraph(
                _(
                    "The guided notebooks are on the start page: 01_welcome, "
                    "02_find_and_trust_data, 03_from_sql_to_report."
                )
            ),
        ]
    )


def _data(environ: Mapping[str, str]) -> Shown:
    """Name what can be read, or how to build it."""
    datasets = connection.shown(environ)["datasets"]
    lines = [
        "{title}: {tables}".format(
            title=either(dataset["title"]),
            tables=", ".join(f"{dataset['dataset']}.{each['name']}" for each in dataset["tables"]),
        )
        for dataset in datasets
    ]
    if not lines:
        lines = [
            _("No dataset is built yet; in a terminal: {command}").format(
                command="synthetic build enterprise --scale 0.01"
            )
        ]
    lines.append(
        _("Published statistics: {n} tables named {schema}.…").format(
            n=len(statistics.names()), schema=catalog.PUBLISHED
        )
    )
    lines.append(
        _("lab.tables() lists them all; lab.describe({name}) shows columns and fidelity.").format(
            name='"population.persons"'
        )
    )
    return paragraph(*lines)
