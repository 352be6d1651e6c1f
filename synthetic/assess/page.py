"""The page that shows an assessment: one HTML file without scripts, marked as not releasable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from synthetic.assess.assessment import Assessment
from synthetic.assess.privacy import Attack, Privacy
from synthetic.assess.words import (
    ANSWERS,
    MEASURES,
    MODELS,
    NAMES,
    QUESTIONS,
    SUMMARY,
    WHY,
    WORDS,
    note_text,
    variant_text,
)

_FOLDER = Path(__file__).parent
_ABOVE_BY_CHANCE = 0.025  # of two-sided 95 % intervals
_TABLES = ("synthetic", "bootstrap", "holdout", "shuffled")


def page(found: Assessment, language: str) -> str:
    """The page, in Vietnamese ("vi") or English ("en")."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name, written in _FILTERS.items():
        environment.filters[name] = partial(written, language=language)
    return environment.get_template("page.html.j2").render(
        language=language,
        say={key: both[language] for key, both in WORDS.items()},
        why={key: both[language] for key, both in WHY.items()},
        named={
            str(key): both[language]
            for words in (NAMES, QUESTIONS, ANSWERS, MEASURES, MODELS)
            for key, both in words.items()
        },
        style=(_FOLDER / "page.css").read_text(encoding="utf-8"),
        found=found,
        tables=_TABLES,
        notes=[note_text(note, language) for note in found.notes],
        summary=_summary(found, language),
    )


def number(value: float, places: int = 3, *, language: str) -> str:
    """0,5 in Vietnamese and 0.5 in English; a minus is a minus, not a hyphen."""
    text = f"{value:.{places}f}"
    if not float(text):
        text = text.removeprefix("-")
    text = text.replace("-", "\u2212")
    return text.replace(".", ",") if language == "vi" else text


def share(value: float, *, language: str) -> str:
    """A share as a percentage; its sign never begins a line."""
    size = abs(value * 100)
    return number(value * 100, 1 if size >= 1 or not size else 2, language=language) + "\u00a0%"


def whole(value: int, *, language: str) -> str:
    """39.074 in Vietnamese and 39,074 in English."""
    return f"{value:,}".replace(",", "." if language == "vi" else ",")


_FILTERS: dict[str, Callable[..., str]] = {
    "number": number,
    "share": share,
    "whole": whole,
    "variant": variant_text,
}


def _summary(found: Assessment, language: str) -> list[str]:
    """One sentence each on fidelity, utility, conclusions and privacy."""
    told: list[tuple[str, dict[str, Any]]] = []
    if found.marginals:
        widest = found.marginals[-1]
        shares = {
            name: share(getattr(widest.mean, name), language=language)
            for name in ("synthetic", "bootstrap", "shuffled")
        }
        told.append(("marginals", {"width": widest.width, **shares}))
    if found.utility is not None:
        areas = {
            "synthetic": found.utility.mean_auc_synthetic,
            "real": found.utility.mean_auc_real,
            "guess": 0.5,
        }
        figures = {name: number(area, language=language) for name, area in areas.items()}
        told.append(("utility", {"n": len(found.utility.predictions), **figures}))
    if found.conclusions is not None:
        same, wrong = found.conclusions.synthetic.same, found.conclusions.synthetic.wrong_sign
        told.append(
            ("conclusions", {"n": found.conclusions.n_analyses, "same": same, "wrong": wrong})
        )
    told.append(_of_privacy(found.privacy, language))
    return [SUMMARY[key][language].format(**words) for key, words in told]


def _of_privacy(privacy: Privacy, language: str) -> tuple[str, dict[str, Any]]:
    risky = {attack: attack.risk for attack in privacy.attacks if attack.risk is not None}
    if not risky:
        return "no_control", {}
    largest: Attack = max(risky, key=lambda attack: risky[attack].value)
    name = f"{NAMES[largest.name][language]} ({variant_text(largest.variant, language)})"
    figures = {
        "above": sum(risk.low > 0 for risk in risky.values()),
        "n": len(risky),
        "chance": number(len(risky) * _ABOVE_BY_CHANCE, 1, language=language),
        "name": name,
        "risk": share(risky[largest].value, language=language),
    }
    return "privacy", figures
