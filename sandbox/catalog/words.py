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
    "months": {"vi": "tháng", "en": "months"},
    "month": {"vi": "tháng", "en": "month"},
    "days": {"vi": "ngày", "en": "days"},
    "working days": {"vi": "ngày làm việc", "en": "working days"},
    "hours": {"vi": "giờ", "en": "hours"},
    "hour": {"vi": "giờ", "en": "hour"},
    "nights": {"vi": "đêm", "en": "nights"},
    "VND": {"vi": "đồng", "en": "VND"},
    "thousand VND": {"vi": "nghìn đồng", "en": "thousand VND"},
    "million VND": {"vi": "triệu đồng", "en": "million VND"},
    "VND per month": {"vi": "đồng một tháng", "en": "VND per month"},
    "VND/m2": {"vi": "đồng/m²", "en": "VND/m²"},
    "thousand VND/m2": {"vi": "nghìn đồng/m²", "en": "thousand VND/m²"},
    "m2": {"vi": "m²", "en": "m²"},
    "percent": {"vi": "phần trăm", "en": "percent"},
    "percent per year": {"vi": "phần trăm một năm", "en": "percent per year"},
    "percent of dossiers": {"vi": "phần trăm số hồ sơ", "en": "percent of dossiers"},
    "tonnes": {"vi": "tấn", "en": "tonnes"},
    "grams": {"vi": "gam", "en": "grams"},
    "vehicles per hour": {"vi": "xe một giờ", "en": "vehicles per hour"},
    "accounts": {"vi": "tài khoản", "en": "accounts"},
    "beds": {"vi": "giường", "en": "beds"},
    "classes": {"vi": "lớp", "en": "classes"},
    "doses": {"vi": "liều", "en": "doses"},
    "guest nights": {"vi": "đêm khách", "en": "guest nights"},
    "room nights": {"vi": "đêm phòng", "en": "room nights"},
    "marks of 10": {"vi": "điểm trên 10", "en": "marks of 10"},
    "places": {"vi": "chỗ", "en": "places"},
    "points of 5": {"vi": "điểm trên 5", "en": "points of 5"},
    "rooms": {"vi": "phòng", "en": "rooms"},
    "stars": {"vi": "sao", "en": "stars"},
    "stations": {"vi": "trạm", "en": "stations"},
    "times": {"vi": "lần", "en": "times"},
    "trips": {"vi": "chuyến", "en": "trips"},
}
FIDELITY: Pairs = {
    "calibrated": {"vi": "Hiệu chỉnh", "en": "calibrated"},
    "measured": {"vi": "Đo có nhiễu", "en": "measured with noise"},
    "derived": {"vi": "Suy ra", "en": "derived"},
    "assumed": {"vi": "Giả định", "en": "assumed"},
}
SENSITIVITY: Pairs = {
    "identifier": {"vi": "Định danh", "en": "identifier"},
    "quasi-identifier": {"vi": "Gần định danh", "en": "quasi-identifier"},
    "sensitive": {"vi": "Nhạy cảm", "en": "sensitive"},
    "none": {"vi": "Thường", "en": "ordinary"},
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
