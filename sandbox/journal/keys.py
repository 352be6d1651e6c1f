"""The key of an installation: Ed25519, made when something is first signed.

It says which installation signed, and no more: whose installation that is, people tell each other
by comparing the fingerprint. Whoever can read the key's file can sign in its name.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SigningError
from sandbox.journal.locking import locked
from sandbox.language import _
from synthetic.tables.files import make_folder, storage_error

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

FOLDER = "keys"
NAME = "signing.pem"
LOCK = ".lock"
# What stands before the 32 bytes of a key in its DER form: RFC 8410, sections 7 and 4. Written and
# read here, since the library's own reader of all forms takes 45 ms to import, for every command.
PRIVATE = ("PRIVATE KEY", bytes.fromhex("302e020100300506032b657004220420"))
PUBLIC = ("PUBLIC KEY", bytes.fromhex("302a300506032b6570032100"))
SIZE = 32


@dataclass(frozen=True, eq=False)
class Signer:
    """The private key of this installation."""

    key: Ed25519PrivateKey

    def sign(self, data: bytes) -> bytes:
        """Give the signature of some bytes; the same for the same bytes."""
        return self.key.sign(data)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.key.public_key())


@dataclass(frozen=True, eq=False)
class Verifier:
    """A public key."""

    key: Ed25519PublicKey

    @property
    def pem(self) -> bytes:
        """The key as a file that OpenSSL reads too."""
        return _pem(PUBLIC, self.key.public_bytes_raw())

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the key's DER form, as `openssl pkey -pubin -outform DER` gives it."""
        return hashlib.sha256(PUBLIC[1] + self.key.public_bytes_raw()).hexdigest()

    def holds(self, signature: bytes, data: bytes) -> bool:
        """Whether this key's owner signed these bytes."""
        from cryptography.exceptions import InvalidSignature

        try:
            self.key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    @classmethod
    def read(cls, pem: bytes) -> Verifier | None:
        """Read a public key in the one form that we write; None if that is not what it is."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        raw = _raw(PUBLIC, pem)
        return None if raw is None else cls(Ed25519PublicKey.from_public_bytes(raw))


def signer(home: Path) -> Signer:
    """Give the key of the installation that lives here; the first call makes it."""
    path = home / FOLDER / NAME
    if not path.is_file():
        _make(path)
    return _read(path)


def existing(home: Path) -> Signer | None:
    """Give the key of an installation, if it has one yet."""
    path = home / FOLDER / NAME
    return _read(path) if path.is_file() else None


def spaced(fingerprint: str) -> str:
    """Write a fingerprint in groups that people can read to each other."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def _make(path: Path) -> None:
    """Make the key, whole and readable by its owner alone; of two processes one makes it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    make_folder(path.parent)
    temporary: str | None = None
    try:
        path.parent.chmod(0o700)
        with locked(path.parent / LOCK):
            if path.is_file():
                return
            made = _pem(PRIVATE, Ed25519PrivateKey.generate().private_bytes_raw())
            handle, temporary = tempfile.mkstemp(prefix=".signing-", dir=path.parent)
            with os.fdopen(handle, "wb") as file:  # mkstemp gives it to its owner alone
                file.write(made)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).rename(path)
            temporary = None
    except OSError as error:
        raise storage_error("write", path, error) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()


def _read(path: Path) -> Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        raw = _raw(PRIVATE, path.read_bytes())
    except OSError as error:
        raise storage_error("read", path, error) from error
    if raw is None:
        raise SigningError(
            _(
                "{path!r} is not an Ed25519 key; put its copy back, or move it away and a new key "
                "is made, which others do not know yet"
            ).format(path=str(path))
        )
    return Signer(Ed25519PrivateKey.from_private_bytes(raw))


def _pem(form: tuple[str, bytes], raw: bytes) -> bytes:
    label, prefix = form
    body = base64.b64encode(prefix + raw).decode()
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def _raw(form: tuple[str, bytes], pem: bytes) -> bytes | None:
    """Read the key's own bytes; None unless the file is, to the last byte, as we write it."""
    try:
        raw = base64.b64decode(pem.split(b"\n")[1])[-SIZE:]
    except (IndexError, ValueError):
        return None
    return raw if len(raw) == SIZE and _pem(form, raw) == pem else None
