"""The page of the key that signs, asked of the real process."""

from __future__ import annotations

import pytest

from sandbox.journal import keys
from tests.sandbox.serving import serving


@pytest.mark.slow
def test_the_pages_show_the_key_and_give_it_as_a_file(tmp_path):
    with serving(tmp_path / "home", language="en") as pages:
        own = keys.signer(tmp_path / "home").verifier
        assert "/key" in pages.ask("/").text
        answer = pages.ask("/key")
        assert answer.status == 200
        assert f'<code class="hash">{keys.spaced(own.fingerprint)}</code>' in answer.text
        assert own.pem.decode() in answer.text
        assert "PRIVATE" not in answer.text
        file = pages.ask("/key.pem")
        assert file.body == own.pem
        assert file.headers["Content-Disposition"] == (
            f'attachment; filename="sandbox-{own.fingerprint[:8]}.pem"'
        )
        assert pages.ask("/key", cookie="no").status == 403
