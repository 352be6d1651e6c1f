"""What an attack gives: how often it succeeds, on whom, and what of that the training explains."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Name(StrEnum):
    """What is attacked, and what a rate of it means."""

    SINGLING_OUT = "singling out"  # share of predicates that fit exactly one record
    LINKABILITY = "linkability"  # share of records whose two halves meet in one synthetic row
    INFERENCE = "attribute inference"  # share of records whose secret is guessed
    AUC = "membership inference: AUC"  # a member scores above a non-member, ties half
    TPR = "membership inference: TPR at 1 % FPR"  # share of members found
    NEARER = "closest record in train"  # share of synthetic rows nearer to train than to holdout
    COPIES = "exact copies"  # share of records that stand in the synthetic table as they are


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One attack, against training records and against records that were in no training."""

    name: Name
    variant: str  # the secret column, the columns known, the score
    rate: Estimate
    rate_control: Estimate | None  # the same against holdout records; none without a holdout
    rate_guess: Estimate  # guessing without the synthetic table
    risk: Estimate | None  # (rate - control) / (1 - control); none where nothing is left to lose
    n: int  # attacks made


@dataclass(frozen=True, kw_only=True)
class Distance:
    """How far records are from their closest synthetic row: 0 a copy, 1 other in every column."""

    quantile: float
    train: Estimate
    holdout: Estimate | None


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """All attacks and distances, and what cannot be told for want of a holdout."""

    attacks: tuple[Attack, ...]
    distances: tuple[Distance, ...]
    untold: tuple[Name, ...]
