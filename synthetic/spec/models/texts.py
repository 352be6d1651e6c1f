"""Free text that is put together from texts and vocabularies."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from synthetic.spec.models.base import Choices, Identifier, Model, check_any
from synthetic.spec.models.keys import by_code

SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_TEXT_WITH_SLOTS = re.compile(r"(?:[^{}]|\{[a-z][a-z0-9_]*\})+")


class Grammar(Model):
    """Free text: one of the texts, each `{slot}` filled from its vocabulary, or from a column.

    A text and each word are drawn apart, each as often as another; texts and vocabularies may
    depend on the codes in the column's `given`. A slot that no vocabulary fills names a text column.
    """

    text: Choices
    vocabularies: dict[Identifier, Choices] = Field(default={})

    @field_validator("text", mode="before")
    @classmethod
    def _one_is_a_list(cls, text: object) -> object:
        return (text,) if isinstance(text, str) else text

    @model_validator(mode="after")
    def _has_its_slots(self) -> Grammar:
        for listed in self.vocabularies.values():
            for words in by_code(listed).values():
                check_any("a vocabulary", words)
        for told in by_code(self.text).values():
            check_any("text", told)
            for text in told:
                if not _TEXT_WITH_SLOTS.fullmatch(text):
                    raise ValueError(
                        f"text {text!r}: a slot is a name in braces, such as {{object}}"
                    )
        unused = sorted(set(self.vocabularies) - self.slots())
        if unused:
            raise ValueError(f"no text has the slot {{{unused[0]}}}; remove its vocabulary")
        return self

    def slots(self) -> set[str]:
        """The slots of all texts."""
        told = (text for texts in by_code(self.text).values() for text in texts)
        return {slot for text in told for slot in SLOT.findall(text)}
