"""The command line of `synthetic`: replicas, and the specs that they are built from."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import platformdirs

from synthetic.errors import SyntheticError


class _Group(click.Group):
    """A mistake that a person can mend is told in plain words, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SyntheticError as error:
            click.echo(f"error: {error}", err=True)
            ctx.exit(error.exit_code)
        except OSError as error:
            click.echo(f"error: {error.filename or 'output'}: {error.strerror}", err=True)
            ctx.exit(3)
        except KeyboardInterrupt:
            click.echo(
                "interrupted: finished replicas are kept, nothing half-written remains", err=True
            )
            ctx.exit(130)


def default_out() -> Path:
    """Where replicas lie by default: `replicas` in the home of the installation."""
    home = os.environ.get("SANDBOX_HOME")
    return Path(home or platformdirs.user_data_path("sandbox", appauthor=False)) / "replicas"


def _place(typed: str) -> Path | str:
    """A folder, or an address such as s3://bucket/prefix; a path would make one slash of its two."""
    return typed if "://" in typed else Path(typed)


_SPECS = click.option(
    "--specs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder of your own specs, beside the packaged ones; may be given several times.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_HTML = click.option("--html", "as_html", is_flag=True, help="Print a page without scripts.")
_LANG = click.option(
    "--lang",
    type=click.Choice(["vi", "en"]),
    default="vi",
    show_default=True,
    help="The page's language.",
)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vietnam-data-sandbox")
@click.option("-v", "--verbose", is_flag=True, help="Tell each step on stderr.")
def main(verbose: bool) -> None:
    """Make and measure synthetic replicas of government datasets."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            # End as Ctrl-C does: workers too, nothing half-written.
            signal.signal(getattr(signal, name), _interrupt)
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(message)s")


class _Progress:
    """Steps with the seconds since the start, on stderr."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, text: str) -> None:
        click.echo(f"[{time.monotonic() - self.started:5.1f} s] {text}", err=True)


@main.command()
@click.argument("datasets", nargs=-1)
@click.option("--scale", default="0.01", show_default=True, help="Share of the country, up to 1.")
@click.option("--area", help="Province code such as 48: only that province's rows.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which draw, a whole number.")
@click.option(
    "--margins",
    type=click.Choice(["exact", "sampled"]),
    default="exact",
    show_default=True,
    help="Meet quota tables to the last unit, or let draws differ as samples do.",
)
@click.option(
    "--dirt",
    help="Also a copy with defects planted in this share of the rows, above 0 and up to 0.5.",
)
@click.option("--dirt-seed", type=int, help="Which draw of defects, a whole number; 1 by default.")
@click.option(
    "--null",
    is_flag=True,
    help="Also a control: a copy whose columns keep their values and no longer go together.",
)
@click.option(
    "--out",
    type=_place,
    metavar="PLACE",
    help="Folder for replicas, or s3://bucket/prefix; the environment then tells where the store "
    "is and who asks (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).",
)
@click.option("--workers", type=int, help="Processes; as many as help by default.")
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Compute on the cluster of this Dask scheduler, such as tcp://10.0.0.5:8786.",
)
@_SPECS
@_JSON
def build(
    datasets: tuple[str, ...],
    scale: str,
    area: str | None,
    seed: int,
    margins: str,
    dirt: str | None,
    dirt_seed: int | None,
    null: bool,
    out: Path | str | None,
    workers: int | None,
    dask: str | None,
    specs: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Build replicas of DATASETS (all by default, those of --specs too) and of those they use."""
    from synthetic.build import Order, make_recipe
    from synthetic.build import build as build_replicas
    from synthetic.dirt import answers, make_dirt, spoil
    from synthetic.errors import BuildError
    from synthetic.null.copies import break_associations
    from synthetic.spec.load import known, load_all

    if workers is not None and workers < 1:
        raise BuildError(f"workers {workers} must be 1 or more")
    if dirt is None and dirt_seed is not None:
        raise BuildError("--dirt-seed says which defects --dirt plants; add --dirt, such as 0.02")
    if isinstance(out, str) and (dirt is not None or null):
        raise BuildError(
            f"--dirt and --null make their copies in a folder; build them there, then copy it to "
            f"{out}, each manifest.json last"
        )
    spoiled = None if dirt is None else make_dirt(dirt, 1 if dirt_seed is None else dirt_seed)
    order = Order(
        datasets=datasets or tuple(known(specs)),
        recipe=make_recipe(scale, area, seed, margins),
        out=out or default_out(),
        workers=workers,
        cluster=dask,
        specs=specs,
    )
    progress = _Progress()
    built = build_replicas(order, progress)
    done = list(built)
    if null:
        specs_of = load_all([m.dataset for m in built], specs)
        done += [break_associations(m, specs_of[m.dataset], progress) for m in built]
    if spoiled is not None:
        done += [spoil(m, spoiled, workers=workers, progress=progress) for m in built]
    facts = [
        {
            "dataset": m.dataset,
            "version": m.version,
            "folder": m.address,
            "tables": [
                {key: table[key] for key in ("name", "rows", "content_hash")} for table in m.tables
            ],
        }
        | ({"answers": str(answers.path(m.folder))} if m.data.get("dirt") else {})
        for m in done
    ]
    if as_json:
        click.echo(json.dumps({"replicas": facts}, ensure_ascii=False))
        return
    for manifest in done:
        click.echo(manifest.address)
        for table in manifest.tables:
            click.echo(f"  {table['name']:<14}{table['rows']:>12,} rows  {table['content_hash']}")
        if manifest.data.get("dirt"):
            click.echo(f"  answer key: {answers.path(manifest.folder)}")


@main.command()
@click.argument("folder", type=_place)
@_SPECS
@_JSON
def verify(folder: Path | str, specs: tuple[Path, ...], as_json: bool) -> None:
    """Check every replica at or below FOLDER, and sum up by kind: hashes, keys, rules, quotas, …

    FOLDER may be s3://bucket/prefix: the replicas are copied to a temporary folder and read there.
    """
    from synthetic.errors import StorageError, VerifyError
    from synthetic.evaluation.checks import summed
    from synthetic.evaluation.verify import verify_folder
    from synthetic.tables.manifest import folders
    from synthetic.tables.stores import readable

    with readable(folder) as (here, named):
        if not here.is_dir():
            raise StorageError(f"{folder}: no such folder; name one that holds replicas")
        found = [
            (path, [replace(c, detail=named(c.detail)) for c in verify_folder(path, specs)])
            for path in folders(here)
        ]
    if not found:
        raise StorageError(f"{folder}: no replica here; build one with: synthetic build")
    failed = [(path, c) for path, checks in found for c in checks if not c.ok]
    if as_json:
        facts = [
            {"dataset": path.parent.name, "version": path.name, "ok": all(c.ok for c in checks)}
            | {"kinds": {kind: {"ok": ok, "of": of} for kind, (ok, of) in summed(checks).items()}}
            | {"checks": [vars(c) for c in checks]}
            for path, checks in found
        ]
        click.echo(json.dumps({"ok": not failed, "replicas": facts}, ensure_ascii=False))
    else:
        for path, checks in found:
            click.echo(f"{path.parent.name} {path.name}")
            for check in checks:
                detail = f" ({check.detail})" if check.detail else ""
                place = f"{check.table}: " if check.table else ""
                click.echo(f"  {'ok    ' if check.ok else 'FAILED'} {place}{check.what}{detail}")
            told = (f"{kind} {ok} of {of}" for kind, (ok, of) in summed(checks).items())
            click.echo(f"  in sum: {', '.join(told)}")
    if failed:
        lines = [
            f"{path.parent.name}{c.table and f' {c.table}'}: {c.what}: {c.detail}"
            for path, c in failed
        ]
        raise VerifyError(f"{len(failed)} checks failed:\n" + "\n".join(lines))


@main.command()
@click.argument("folder", type=_place)
@_SPECS
@_JSON
@_HTML
@_LANG
def fidelity(
    folder: Path | str, specs: tuple[Path, ...], as_json: bool, as_html: bool, lang: str
) -> None:
    """Hold every replica at or below FOLDER against each published table that it follows.

    FOLDER may be s3://bucket/prefix: the replicas are copied to a temporary folder and read there.
    """
    from synthetic.errors import BuildError
    from synthetic.fidelity.facts import facts, measure_folder
    from synthetic.fidelity.page import page
    from synthetic.fidelity.told import lines
    from synthetic.tables.manifest import find
    from synthetic.tables.stores import check_hashes, readable

    if as_json and as_html:
        raise BuildError("--json and --html cannot both be printed; give one of them")
    with readable(folder) as (here, _):
        if isinstance(folder, str):  # what came over a network
            for manifest in find(here):
                check_hashes(manifest)
        measured = measure_folder(here, specs)
    if as_json:
        told = {"replicas": [facts(one) for one in measured]}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif as_html:
        click.echo(page(measured, lang), nl=False)
    else:
        for one in measured:
            click.echo("\n".join(lines(one)))


@main.command("list")
@_SPECS
@_JSON
def list_datasets(specs: tuple[Path, ...], as_json: bool) -> None:
    """List the datasets that can be built."""
    from synthetic.spec.load import known, load_all

    found = load_all(known(specs), specs)
    if as_json:
        facts = [
            {"dataset": name, "title": spec.title.model_dump(), "tables": list(spec.tables)}
            for name, spec in found.items()
        ]
        click.echo(json.dumps({"datasets": facts}, ensure_ascii=False))
        return
    for name, spec in found.items():
        click.echo(f"{name:<14}{spec.title.vi} / {spec.title.en}: {', '.join(spec.tables)}")


@main.command()
@click.argument("dataset")
@_SPECS
@_JSON
def show(dataset: str, specs: tuple[Path, ...], as_json: bool) -> None:
    """Show a dataset's tables and columns, and where each column comes from."""
    from synthetic.evaluation.fitted import measured, open_models
    from synthetic.spec.load import load_all

    spec = load_all([dataset], specs)[dataset]
    fitted = open_models({dataset: spec}, specs)
    if as_json:
        shown = spec.model_dump(mode="json", exclude_none=True)
        if fitted:
            shown["fitted"] = {table: model.facts for table, model in fitted.items()}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(f"{spec.dataset}: {spec.title.vi} / {spec.title.en}\n{spec.description.en}")
    for name, table in spec.tables.items():
        click.echo(f"\n{name}: {table.title.vi} / {table.title.en}")
        if f"{dataset}.{name}" in fitted:
            click.echo(f"  model: {measured(fitted[f'{dataset}.{name}'].facts).en}")
        for column, told in table.columns.items():
            if told.hidden:
                continue
            source = next(
                f"{key} {value}" if isinstance(value := getattr(told, key), str) else key
                for key in ("take", "follows", "derive", "assume", "identifier", "link", "model")
                if getattr(told, key) is not None
            )
            unit = f" [{told.unit}]" if told.unit else ""
            click.echo(f"  {column:<18}{told.type:<9}{told.title.en}{unit} <- {source}")


@main.command()
@click.argument("spec", type=click.Path(path_type=Path))
@_SPECS
def check(spec: Path, specs: tuple[Path, ...]) -> None:
    """Check a spec file, with file, table, key, value and remedy of every fault."""
    from synthetic.errors import SpecError
    from synthetic.evaluation.fitted import open_models
    from synthetic.spec.check import check_specs
    from synthetic.spec.check_questions import check_questions
    from synthetic.spec.load import load, load_all

    if spec.suffix != ".toml":
        raise SpecError(f"{spec}: not a spec file; its name must end in .toml")
    read = load(spec)
    # By its file's name, as a build finds it, together with those beside it that it uses.
    together = load_all([spec.stem], (*specs, spec.parent))
    check_specs(together)
    check_questions(together)
    open_models(together, (*specs, spec.parent))
    click.echo(f"{spec}: no fault found in {len(read.tables)} tables")


@main.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The folder of your specs; this one by default.",
)
def new(name: str, out: Path) -> None:
    """Begin a spec of your own: NAME.toml, linked to persons, which builds as it stands."""
    from synthetic.drafts.scaffold import scaffold, write_new

    path = write_new(name, scaffold(name), out)
    click.echo(path)
    click.echo(f"next: synthetic check {path}", err=True)
    click.echo(f"      synthetic build {name} --specs {out} --scale 0.001", err=True)


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="A file; else it is printed.")
def schema(out: Path | None) -> None:
    """Print the JSON Schema of a spec file, for completion in editors."""
    from synthetic.spec.schema import text
    from synthetic.tables.files import write_atomically

    if out is None:
        click.echo(text(), nl=False)
        return
    write_atomically(out, text().encode())
    click.echo(out)


@main.command("import")
@click.argument("csv", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="The new dataset's name, such as school_buses.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The folder of your specs; this one by default.",
)
def import_(csv: Path, name: str, out: Path) -> None:
    """Draft a spec from the columns of a sample file; a person must read it before others do.

    At most the first 200,000 rows are read. Headers and short code lists are copied from them.
    """
    from synthetic.drafts.draft import CODES, WARNING, draft
    from synthetic.drafts.sample import read
    from synthetic.drafts.scaffold import check_name, write_new

    check_name(name)
    sample = read(csv, CODES)
    path = write_new(name, draft(name, sample), out)
    click.echo(path)
    click.echo(f"{WARNING.vi}\n{WARNING.en}", err=True)
    for note in sample.notes:
        click.echo(f"note: {note}", err=True)


@main.command()
@click.argument("data")
@click.option(
    "--spec",
    "spec_file",
    type=click.Path(path_type=Path),
    required=True,
    help="Bounds, bins, categories, rules and the limit of the budget, as a TOML file.",
)
@click.option("--epsilon", type=float, required=True, help="What this fit may cost, above 0.")
@click.option("--delta", type=float, required=True, help="With which delta, such as 1e-9.")
@click.option(
    "--mode",
    type=click.Choice(["fast", "default", "best"]),
    default="default",
    show_default=True,
    help="How much work to do; the budget is the same.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Which pairs of columns matter how much, as a TOML file of [[pairs]]; all alike by default.",
)
@click.option(
    "--plan", "only_plan", is_flag=True, help="Print each release and its share, no more."
)
@click.option("--out", type=click.Path(path_type=Path), help="The model, a new file.")
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    help="The file that remembers what was spent; in the home of the installation by default.",
)
@click.option(
    "--insecure-seed",
    type=int,
    help="For tests: noise that anybody can draw again; the model must not be released.",
)
@_JSON
def fit(
    data: str,
    spec_file: Path,
    epsilon: float,
    delta: float,
    mode: str,
    weights: Path | None,
    only_plan: bool,
    out: Path | None,
    ledger: Path | None,
    insecure_seed: int | None,
    as_json: bool,
) -> None:
    """Fit a model to DATA under differential privacy, and remember what that cost.

    DATA is a Parquet or CSV file, a folder of Parquet files, or a DuckDB query that gives one row
    for each record. Nothing of it is in the model but noisy counts that were paid for.
    """
    from synthetic.private import InsecureNoise, Order, SecureNoise, facts, spec, told
    from synthetic.private import fit as fit_model

    order = Order.of(
        data,
        spec.load(spec_file),
        file=spec_file.name,
        epsilon=epsilon,
        delta=delta,
        mode=mode,
        weights=weights,
        ledger=ledger or default_out().parent / "privacy" / "ledger.sqlite",
    )
    releasable: dict[str, bool] = {}
    if not only_plan:
        order.check_out(out)
        assert out is not None
        noise = SecureNoise() if insecure_seed is None else InsecureNoise(insecure_seed)
        model = fit_model(order, noise)
        model.save(out)
        releasable = {"releasable": model.is_releasable}
        if not model.is_releasable:
            click.echo("not releasable: its noise comes from --insecure-seed", err=True)
    if as_json:
        click.echo(json.dumps(facts(order, out, only_plan) | releasable, ensure_ascii=False))
    else:
        click.echo("\n".join(told(order, out, only_plan)))


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--rows", type=int, required=True, help="How many rows to draw.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which draw, a whole number.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="A .parquet or .csv file."
)
@click.option(
    "--where", help="Only rows with these values: \"province = '48' and sex is missing\"."
)
@click.option("--shard", default="1/1", show_default=True, help="Only this part, such as 3/8.")
def sample(model: Path, rows: int, seed: int, out: Path, where: str | None, shard: str) -> None:
    """Draw rows from a fitted MODEL; no record is needed for it."""
    from synthetic.private import sample as sample_rows

    drawn = sample_rows(model, rows=rows, seed=seed, out=out, where=where, shard=shard)
    click.echo(f"{out}: {drawn.n_rows:,} rows")
    if not drawn.is_releasable:
        click.echo("not releasable: the model's noise comes from --insecure-seed", err=True)


@main.command()
@click.option(
    "--real", required=True, help="The records that were learnt from: a file, or a DuckDB query."
)
@click.option(
    "--holdout", help="Records that were not learnt from, as the control: the same kinds."
)
@click.option("--synthetic", "made", required=True, help="The synthetic rows: Parquet or CSV.")
@click.option(
    "--spec",
    "spec_file",
    type=click.Path(path_type=Path),
    help="The spec of the fit: its columns and bins; else all columns, in quantiles of the records.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    help="A column to predict; may be given several times. Else up to 6 that suit.",
)
@click.option("--unit", help="The column that says whose row it is: units are drawn whole.")
@click.option("--seed", type=int, default=1, show_default=True, help="Which draw, from 0.")
@_JSON
@_HTML
@_LANG
def evaluate(
    real: str,
    holdout: str | None,
    made: str,
    spec_file: Path | None,
    targets: tuple[str, ...],
    unit: str | None,
    seed: int,
    as_json: bool,
    as_html: bool,
    lang: str,
) -> None:
    """Hold synthetic rows against the records they were made from: fidelity, utility, privacy.

    Every figure is a statistic of the records, without noise: none may be released.
    """
    from synthetic.assess.assessment import assess
    from synthetic.assess.facts import facts
    from synthetic.assess.page import page
    from synthetic.assess.tables import read_tables
    from synthetic.assess.told import lines, warnings
    from synthetic.errors import AssessError

    if as_json and as_html:
        raise AssessError("--json and --html cannot both be printed; give one of them")
    if seed < 0:
        raise AssessError(f"--seed ({seed}) must be 0 or more")
    tables = read_tables(real, made, holdout=holdout, spec=spec_file, unit=unit)
    found = assess(tables, targets=targets, seed=seed)
    for warning in warnings(found):
        click.echo(f"note: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(facts(found), ensure_ascii=False, allow_nan=False))
    elif as_html:
        click.echo(page(found, lang), nl=False)
        click.echo("not releasable: the page holds figures of real records", err=True)
    else:
        click.echo("\n".join(lines(found)))


@main.command(hidden=True)
@click.option("--dry-run", is_flag=True, help="Tell what would be written.")
def freeze(dry_run: bool) -> None:
    """Remake the packaged models: all margins and household fits, as whole numbers."""
    from synthetic.generation.freezing import freeze as freeze_models

    freeze_models(click.echo, dry_run=dry_run)


if __name__ == "__main__":
    sys.exit(main())
