"""An assessment for a terminal: compact tables, and a last line that says it must stay inside."""

from __future__ import annotations

from collections.abc import Iterator

from synthetic.assess.assessment import Assessment
from synthetic.assess.conclusions import Agreement, Conclusions
from synthetic.assess.independence import Independence
from synthetic.assess.privacy import Attack, Estimate, Privacy
from synthetic.assess.utility import Interval, Utility
from synthetic.assess.words import WHY, note_text
from synthetic.assess.yardsticks import Beside

_LABEL = 44


def lines(found: Assessment) -> Iterator[str]:
    """The whole assessment, line by line."""
    tables = found.tables
    held = "none" if tables.holdout is None else f"{len(tables.holdout):,}"
    yield (
        f"rows: real {len(tables.train):,}, holdout {held}, synthetic {len(tables.synthetic):,}; "
        f"{len(tables.train.names)} columns"
    )
    yield from _fidelity(found)
    yield from _utility(found.utility, found.conclusions)
    yield from _privacy(found.privacy)
    yield f"not releasable: {WHY['all']['en']}"


def warnings(found: Assessment) -> Iterator[str]:
    """What to know of the tables before any figure."""
    for note in found.notes:
        yield note_text(note, "en")


def _fidelity(found: Assessment) -> Iterator[str]:
    heads = ("synthetic", "bootstrap", "holdout", "shuffled")
    yield f"\n{'fidelity (0: the same)':<{_LABEL}}" + "".join(f"{head:>11}" for head in heads)
    for one in found.marginals:
        what = f"total variation, {one.width}-way"
        counted = f"{one.n_marginals:,}"
        if one.n_marginals < one.n_possible:
            counted += f" of {one.n_possible:,}"
        yield _row(f"{what}, mean of {counted}", one.mean)
        yield _row(f"{what}, largest", one.largest)
    if found.associations is not None:
        yield _row(f"associations, mean of {found.associations.n_pairs:,}", found.associations.mean)
        yield _row("associations, largest", found.associations.largest)
    yield from _furthest(found)
    if found.independence is not None:
        yield from _independence(found.independence)


def _furthest(found: Assessment) -> Iterator[str]:
    for one in found.marginals:
        if one.width == 2 and one.largest.synthetic:
            far = (f"{' x '.join(w.columns)} {w.distance.synthetic:.3f}" for w in one.worst[:3])
            yield f"  furthest pairs: {'; '.join(far)}"
    if found.associations is not None and found.associations.largest.synthetic:
        pairs = (
            f"{' x '.join(p.columns)} {p.synthetic:.2f} for {p.real:.2f}"
            for p in found.associations.worst[:3]
        )
        yield f"  furthest associations: {'; '.join(pairs)}"


def _independence(found: Independence) -> Iterator[str]:
    yield (
        f"  given a third column: of {found.n_real} dependences {found.kept} kept, {found.lost} "
        f"lost, {found.invented} invented; two halves of the records: {found.records_lost} lost, "
        f"{found.records_invented} invented"
    )
    for what, worst in (("lost", found.worst_lost), ("invented", found.worst_invented)):
        named = (f"{' x '.join(d.columns)} given {d.given}" for d in worst[:3])
        if worst:
            yield f"  {what}: {'; '.join(named)}"


def _utility(useful: Utility | None, concluded: Conclusions | None) -> Iterator[str]:
    heads = f"{'synthetic':>22}{'real':>22}{'majority':>9}  accuracy"
    yield f"\n{'utility: AUC on real rows':<{_LABEL}}{heads}"
    if useful is None:
        yield "  no column to predict"
    else:
        for p in useful.predictions:
            name = f"  {p.target}{', above median' if p.is_above_median else ''}"
            right = (p.accuracy_synthetic, p.accuracy_real, p.accuracy_majority)
            yield (
                f"{name:<{_LABEL}}{_ranged(p.auc_synthetic):>22}{_ranged(p.auc_real):>22}"
                f"{p.auc_majority:>9.3f}  {' / '.join(f'{share:.3f}' for share in right)}"
            )
    if concluded is not None:
        heads = "".join(f"{head:>11}" for head in ("same", "wrong sign", "lost", "invented"))
        yield f"{'  conclusions':<{_LABEL}}{heads}"
        for name in ("synthetic", "bootstrap", "holdout", "shuffled"):
            told = getattr(concluded, name)
            if told is not None:
                yield _agreement(f"    {name}, of {concluded.n_analyses}", told)


def _agreement(name: str, told: Agreement) -> str:
    numbers = (told.same, told.wrong_sign, told.lost, told.invented)
    return f"{name:<{_LABEL}}" + "".join(f"{number:>11}" for number in numbers)


def _privacy(private: Privacy) -> Iterator[str]:
    yield (
        f"\n{'privacy':<{_LABEL}}{'rate':>8}{'control':>9}{'guessing':>9}"
        f"{'risk':>9}  95 % interval of the risk"
    )
    for attack in private.attacks:
        yield _attack(attack)
    for distance in private.distances:
        other = "" if distance.holdout is None else f"{distance.holdout.value:>9.4f}"
        name = f"  distance to the closest, {distance.quantile:.0%} quantile"
        yield f"{name:<{_LABEL}}{distance.train.value:>8.4f}{other}"
    if private.untold:
        yield f"  not told without a holdout: {', '.join(private.untold)}"


def _attack(attack: Attack) -> str:
    name = f"  {attack.name}: {attack.variant}"
    name = name if len(name) < _LABEL else name[: _LABEL - 2] + "…"
    start = f"{name:<{_LABEL}}{attack.rate.value:>8.3f}{_value(attack.rate_control)}"
    start += f"{attack.rate_guess.value:>9.3f}"
    if attack.risk is None:
        return start + f"{'-':>9}"
    return start + f"{attack.risk.value:>9.3f}  {attack.risk.low:.3f} to {attack.risk.high:.3f}"


def _value(estimate: Estimate | None) -> str:
    return f"{'-':>9}" if estimate is None else f"{estimate.value:>9.3f}"


def _row(name: str, beside: Beside) -> str:
    holdout = "-" if beside.holdout is None else f"{beside.holdout:.4f}"
    return (
        f"{'  ' + name:<{_LABEL}}{beside.synthetic:>11.4f}{beside.bootstrap:>11.4f}"
        f"{holdout:>11}{beside.shuffled:>11.4f}"
    )


def _ranged(interval: Interval) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f}-{interval.high:.3f})"
