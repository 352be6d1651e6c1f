"""What a replica's manifest promises of privacy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthetic.evaluation.fitted import measured

PUBLISHED = {
    "vi": "Không có bản ghi thật nào được đọc: bản sao chỉ dựng từ các bảng tổng hợp đã công bố và "
    "bản mô tả này. Mọi số định danh đều mang dấu riêng, không thể là số đã cấp cho ai. Không thể "
    "từ một dòng mà lần ra một người, vì không có ai đứng sau dòng ấy. Điều không hứa: họ tên cùng "
    "ngày sinh và nơi ở có thể tình cờ trùng với một người đang sống; dòng ấy vẫn không nói gì về "
    "người đó.",
    "en": "No real record was read: the replica is built from published aggregates and its spec "
    "alone. Every identifier carries a mark that no real person can be given. No row can be traced "
    "to a person, since there is nobody behind it. What is not promised: a name with a birth date "
    "and a commune can by chance coincide with a living person's; the row still says nothing of "
    "that person.",
}
FITTED = {
    "vi": "Bản sao dựng từ các bảng tổng hợp đã công bố, bản mô tả này, và các mô hình được khớp với "
    "bản ghi thật. Khi dựng, không bản ghi thật nào được đọc. Mọi số định danh đều mang dấu riêng, "
    "không thể là số đã cấp cho ai. Điều có thể biết thêm về một bản ghi thật không phải là không, "
    "mà bị chặn bởi các con số sau.",
    "en": "The replica is built from published aggregates, its spec, and models that were fitted to "
    "real records. No real record was read when it was built. Every identifier carries a mark that "
    "no real person can be given. What can be learnt of a real record is not nothing, and is "
    "bounded by these figures.",
}


def privacy(fitted: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The statement, in both languages; `fitted` has the facts of each fitted table's model."""
    if not fitted:
        return PUBLISHED
    told = {table: measured(facts) for table, facts in fitted.items()}
    return {
        "vi": " ".join([FITTED["vi"], *(f"{t}: {said.vi}" for t, said in told.items())]),
        "en": " ".join([FITTED["en"], *(f"{t}: {said.en}" for t, said in told.items())]),
    }
