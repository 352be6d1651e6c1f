"""The form of the log: what a line is, its canonical bytes, its hash and its signature.

A line is a JSON object. Its canonical bytes are those of the object with its keys in order, no
blanks, and ASCII only; of the object without `hash` and `signature` they are what is hashed with
SHA-256 and signed with Ed25519, and of the whole object, with a line feed, they are the line.
`before` is the hash of the line before, and of the first line sixty-four noughts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.journal.keys import Signer, Verifier

FOLDER = "journal"
LOG = "log.jsonl"
HEAD = "head.json"
FORMAT = 1
START = "0" * 64
LONGEST = 200  # characters of one fact; names, words and hashes are shorter
HEALED = "healed"  # the event that tells of a line that was torn


@dataclass(frozen=True)
class Line:
    """One whole line, whether it is right or not."""

    facts: Mapping[str, Any]

    @classmethod
    def read(cls, text: bytes) -> Line | None:
        """Read a line without its end; None if it is none, or not in its canonical form."""
        try:
            facts = json.loads(text)
            is_line = isinstance(facts, dict) and _has_shape(facts) and canonical(facts) == text
        except (ValueError, RecursionError):
            return None
        return cls(facts) if is_line else None

    @classmethod
    def make(cls, signer: Signer, place: Place, facts: Mapping[str, Any]) -> Line:
        """Seal what happened as the line that follows a place."""
        body = {**facts, "format": FORMAT, "seq": place.seq + 1, "before": place.hash}
        sealed = canonical(body)
        return cls(
            {
                **body,
                "hash": hashlib.sha256(sealed).hexdigest(),
                "signature": base64.b64encode(signer.sign(sealed)).decode(),
            }
        )

    @property
    def place(self) -> Place:
        """Where the log stands after this line."""
        return Place(self.facts["seq"], self.facts["hash"])

    @cached_property
    def body(self) -> bytes:
        """What is hashed and signed."""
        left_out = {"hash", "signature"}
        return canonical({key: value for key, value in self.facts.items() if key not in left_out})

    @property
    def has_its_hash(self) -> bool:
        """Whether its hash is that of what it says."""
        return bool(hashlib.sha256(self.body).hexdigest() == self.facts["hash"])

    def is_signed_by(self, verifier: Verifier) -> bool:
        """Whether the owner of this key signed it."""
        return signed(verifier, self.facts["signature"], self.body)

    def to_bytes(self) -> bytes:
        """Give the line with its end."""
        return canonical(self.facts) + b"\n"


@dataclass(frozen=True)
class Place:
    """Where a log stands: the number and the hash of its last line."""

    seq: int = 0
    hash: str = START

    def head(self, signer: Signer) -> bytes:
        """Sign the place, so that a log that was cut behind it shows."""
        body = self._body
        signature = base64.b64encode(signer.sign(canonical(body))).decode()
        return canonical({**body, "signature": signature})

    @classmethod
    def read(cls, text: bytes, verifier: Verifier | None = None) -> Place | None:
        """Read a signed place; None if it is none. Without a key the signature is not looked at."""
        try:
            told = json.loads(text)
            found = cls(told["seq"], told["hash"])
            is_right = (
                type(found.seq) is int
                and isinstance(found.hash, str)
                and told == {**found._body, "signature": told["signature"]}
                and (verifier is None or signed(verifier, told["signature"], found._bytes))
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return found if is_right else None

    @property
    def _body(self) -> dict[str, Any]:
        return {"what": "head of the sandbox's log", "seq": self.seq, "hash": self.hash}

    @property
    def _bytes(self) -> bytes:
        return canonical(self._body)


def canonical(value: Mapping[str, Any]) -> bytes:
    """Give the one form in which these facts are written."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def signed(verifier: Verifier, signature: object, data: bytes) -> bool:
    """Whether a signature in base 64 is this key's, of these bytes, and written in its one form."""
    try:
        raw = base64.b64decode(str(signature), validate=True)
    except (binascii.Error, ValueError):
        return False
    return base64.b64encode(raw).decode() == signature and verifier.holds(raw, data)


def folder(home: Path) -> Path:
    """Give the folder of an installation's log."""
    return home / FOLDER


def _has_shape(facts: Mapping[str, Any]) -> bool:
    texts = ("at", "event", "run", "before", "hash", "signature")
    return type(facts.get("seq")) is int and all(isinstance(facts.get(key), str) for key in texts)
