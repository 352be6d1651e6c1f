"""The words for what a catalogue tells of a column or a source, in both languages, once for all."""

from __future__ import annotations

from collections.abc import Mapping

Pairs = Mapping[str, Mapping[str, str]]

TYPES: Pairs = {
    "integer": {"vi": "số nguyên", "en": "whole number"},
    "decimal": {"vi": "số thập phân", "en": "decimal number"},
    "code": {"vi": "mã", "en": "code"},
    "text": {"vi": "chữ", "en": "text"},
    "date": {"vi": "ngày", "en": "date"},
    "timestamp": {"vi": "ngày giờ", "en": "date and time"},
    "boolean": {"vi": "đúng/sai", "en": "true or false"},
}
UNITS: Pairs = {
    "years": {"vi": "năm", "en": "years"},
    "year": {"vi": "năm", "en": "year"},
    "persons": {"vi": "người", "en": "persons"},
    "VND": {"vi": "đồng", "en": "VND"},
}
QUALITY: Pairs = {
    "official": {"vi": "chính thức", "en": "official"},
    "secondary": {"vi": "trích lại", "en": "quoted by others"},
    "estimate": {"vi": "ước tính", "en": "estimate"},
    "mixed": {"vi": "nhiều loại", "en": "mixed"},
}

# What the list of sources, which is in English, says again and again.
SOURCES: Pairs = {
    english: {"vi": vietnamese, "en": english}
    for english, vietnamese in (
        ("see rows", "xem từng dòng"),
        ("not stated", "không ghi rõ"),
        ("2015; 2016; plates not stated", "2015; 2016; biển số không ghi rõ"),
        ("CC BY 3.0 IGO; name the source", "CC BY 3.0 IGO; ghi nguồn"),
        (
            "single figures quoted from public pages; facts, reused with the source named",
            "số liệu đơn lẻ trích từ các trang công khai; là dữ kiện, dùng lại có ghi nguồn",
        ),
        (
            "codes and rules set by public legal documents; facts, reused with the source named",
            "mã và quy tắc do văn bản pháp luật công khai quy định; là dữ kiện, dùng lại có ghi "
            "nguồn",
        ),
        (
            "published official statistics; facts, reused with the source named; publisher terms "
            "not checked",
            "số liệu thống kê chính thức đã công bố; là dữ kiện, dùng lại có ghi nguồn; chưa kiểm "
            "tra điều khoản của nơi công bố",
        ),
        (
            "counted shares only, source named; terms of the first lists not stated: review before "
            "publishing outside the project",
            "chỉ giữ các tỉ lệ đã đếm, có ghi nguồn; các danh sách gốc không nêu điều khoản: cần "
            "xem xét trước khi công bố ra ngoài dự án",
        ),
    )
}


def said(word: str, of: Pairs) -> Mapping[str, str]:
    """Give a word in both languages, or as it is where nothing is written down for it."""
    return of.get(word) or {"vi": word, "en": word}
