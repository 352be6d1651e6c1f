"""The look that pages share: strict templates, and values in the spoken language."""

from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError

from sandbox import look
from sandbox.language import speaking

CSS = (look.STATIC / "sandbox.css").read_text(encoding="utf-8")


def rendered(source, language, **values):
    with speaking(language):
        return look.environment().from_string(source).render(**values)


@pytest.mark.parametrize(
    ("source", "vi", "en"),
    [
        ("{{ 1234567 | number }}", "1.234.567", "1,234,567"),
        ("{{ 0.01234 | percent }}", "1,23%", "1.23%"),
        ("{{ 90 | seconds }}", "1 phút 30 giây", "1 min 30 s"),
        ("{{ '2026-11-22T18:05:00+00:00' | when }}", "23/11/2026, 01:05", "23 Nov 2026, 01:05"),
        ("{{ 'không rõ' | when }}", "không rõ", "không rõ"),
        ("{{ 'failed' | kind('status') }}", "Chạy không thành công", "Failed"),
        ("{{ 'strange' | kind('status') }}", "strange", "strange"),
        ("{{ {'vi': 'một', 'en': 'one'} | either }}", "một", "one"),
        ("{{ {'vi': 'một'} | either }}{{ none | either }}", "một", "một"),
    ],
)
def test_values_are_written_in_the_spoken_language(source, vi, en):
    assert rendered(source, "vi").replace("\u00a0", " ") == vi
    assert rendered(source, "en").replace("\u00a0", " ") == en


def test_one_template_speaks_every_language():
    with speaking("vi"):
        template = look.environment().from_string("{{ 1.5 | number }}")
        assert template.render() == "1,5"
    with speaking("en"):
        assert template.render() == "1.5"


def test_what_is_missing_is_a_fault_and_what_is_foreign_is_escaped():
    with pytest.raises(UndefinedError):
        rendered("{{ nothing }}", "en")
    assert rendered("{{ _('%(name)s', name=name) }}", "en", name="<b>") == "&lt;b&gt;"
    assert rendered("{{ text | either }}", "en", text="a\u202eb") == "a[U+202E]b"


def test_the_style_sheet_fetches_nothing():
    assert not re.search(r"url\(|@import|@font-face|https?:", CSS)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_ink_can_be_read_in_light_and_dark():
    """At least 4.5 to 1 on both backgrounds, as WCAG 2.2 asks of text."""
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block))
        for block in re.findall(r":root \{([^}]*--ink[^}]*)\}", CSS)[:2]
    )
    for colours in (light | {"paper": "#ffffff", "on-deep": "#ffffff"}, dark):
        for ink in ("ink", "muted", "deep", "link", "good", "bad", "warn"):
            for ground in ("paper", "tint"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert contrast(colours["on-deep"], colours["deep"]) >= 4.5
        assert contrast(colours["warn"], colours["warn-tint"]) >= 4.5
        assert contrast(colours["field"], colours["paper"]) >= 3
