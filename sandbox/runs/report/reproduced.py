"""What a second execution shows, in words: each cell that differs, and why it probably does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.runs.report.quantities import quantity
from sandbox.runs.report.reading import mapping, number, objects, text, whole
from sandbox.runs.report.words import NOTHING, REASONS, Words

LONGEST = 200  # characters of one value
MOST = 100  # cells
IDENTICAL = "identical"
COMPARED = {IDENTICAL, "equal within tolerance", "differs"}
VERDICTS = {
    "identical": Words("giống hệt", "identical"),
    "equal within tolerance": Words("bằng nhau trong sai số", "equal within tolerance"),
    "differs": Words("khác", "differs"),
}
LINES = {
    "identical": Words(
        "Chạy lại ở môi trường khác: mọi ô cho kết quả giống hệt.",
        "Run again in other surroundings: every cell gave the same.",
    ),
    "equal within tolerance": Words(
        "Chạy lại ở môi trường khác: kết quả như cũ, chỉ lệch trong sai số cho phép.",
        "Run again in other surroundings: the same, within the tolerance.",
    ),
    "pending": Words(
        "Đang chạy lại ở môi trường khác để đối chiếu; chưa có nhận định.",
        "It is being run again in other surroundings; there is no verdict yet.",
    ),
    "not run": Words("Chưa chạy lại lần nào.", "Not run again."),
}
SAME_CLAIMS = Words(
    " Kết quả và kết luận đã khai báo thì vẫn như cũ.",
    " The declared results and conclusions were the same, though.",
)
OTHER_CLAIMS = Words(
    " Trong đó có kết quả hoặc kết luận đã khai báo.",
    " Declared results or conclusions are among them.",
)
CAUSES = {
    "unseeded random": Words(
        "số ngẫu nhiên không đặt hạt giống (seed)", "random numbers without a seed"
    ),
    "clock": Words("ngày giờ lúc chạy", "the clock"),
    "time zone": Words("múi giờ của máy", "the machine’s time zone"),
    "memory address": Words("địa chỉ trong bộ nhớ", "an address in memory"),
    "set order": Words(
        "thứ tự của tập hợp (set) hoặc giá trị hash", "the order of a set, or a hash"
    ),
    "host": Words("tên máy", "the host name"),
    "path": Words("đường dẫn thư mục", "the path of a folder"),
    "locale": Words("thiết lập ngôn ngữ của máy", "the machine’s locale"),
    "thread sums": Words(
        "thứ tự cộng số thực khi chạy nhiều luồng", "the order of sums over several threads"
    ),
    "unknown": Words("chưa rõ", "not known"),
}
WHATS = {
    "result": Words("kết quả", "result"),
    "conclusion": Words("kết luận", "conclusion"),
    "stdout": Words("chữ in ra", "printed text"),
    "stderr": Words("cảnh báo in ra", "printed warnings"),
    "table": Words("bảng", "table"),
    "picture": Words("hình", "picture"),
    "text": Words("chữ", "text"),
    "error": Words("lỗi", "error"),
    "output": Words("đầu ra", "output"),
    "kind of output": Words("loại đầu ra", "kind of output"),
    "data": Words("dữ liệu", "data"),
}
PLACES = re.compile(r"\b(line|row|column|size)\b(?= \d|$)")  # as the comparison names them
PLACE_WORDS = {"line": "dòng", "row": "hàng", "column": "cột", "size": "kích thước"}
SETTINGS = {
    "host": Words("Tên máy", "host name"),
    "folder": Words("Thư mục", "folder"),
    "time_zone": Words("Múi giờ", "time zone"),
    "locale": Words("Ngôn ngữ máy", "locale"),
    "hash_seed": Words("Hạt giống hash", "hash seed"),
    "threads": Words("Số luồng", "threads"),
    "started_at": Words("Bắt đầu lúc", "started"),
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where a cell differs, with both values."""

    what: Words
    where: Words
    first: str
    repeat: str


@dataclass(frozen=True, kw_only=True)
class CellEvidence:
    """What became of one cell."""

    number: int
    verdict: str
    word: Words
    cause: Words
    differences: tuple[Difference, ...]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One thing around the notebook, in both executions."""

    name: Words
    first: Words
    repeat: Words


@dataclass(frozen=True, kw_only=True)
class Reproduced:
    """What the repeat shows."""

    verdict: str
    line: Words
    cells: tuple[CellEvidence, ...]  # those that are not identical
    n_identical: int
    settings: tuple[Setting, ...]
    tolerance: Words

    @property
    def is_compared(self) -> bool:
        """Whether both executions were held against each other."""
        return self.verdict in COMPARED


def reproduced(told: dict[str, Any], verdict: str, *, has_claims: bool) -> Reproduced:
    """Read what the supervisor wrote of the repeat."""
    cells = tuple(_cell(one) for one in objects(told.get("cells")))
    return Reproduced(
        verdict=verdict,
        line=_line(verdict, told, cells, has_claims=has_claims),
        cells=tuple(one for one in cells if one.verdict != IDENTICAL)[:MOST],
        n_identical=sum(one.verdict == IDENTICAL for one in cells),
        settings=_settings(mapping(told.get("settings"))),
        tolerance=_tolerance(mapping(told.get("tolerance"))),
    )


def _line(
    verdict: str, told: dict[str, Any], cells: tuple[CellEvidence, ...], *, has_claims: bool
) -> Words:
    reason = mapping(told.get("reason"))
    kind, cell = text(reason.get("kind")), whole(reason.get("cell"))
    if verdict == "failed":
        why = REASONS.get(kind, Words(kind))
        return Words(
            f"Lần chạy lại không đến đích nên chưa có nhận định. {why.vi}",
            f"The second execution did not come to its end, so there is no verdict. {why.en}",
        )
    if verdict != "differs":
        return LINES[verdict]
    if kind not in {"", "completed"} and cell is not None:
        return Words(
            f"Chạy lại ở môi trường khác: sổ tay dừng ở ô {cell + 1}, không cho lại kết quả.",
            f"Run again in other surroundings: it stopped at cell {cell + 1}.",
        )
    n = sum(one.verdict == "differs" for one in cells)
    claims = SAME_CLAIMS if text(told.get("claims")) != "differs" else OTHER_CLAIMS
    also = claims if has_claims else NOTHING
    return Words(
        f"Chạy lại ở môi trường khác: {n} trong {len(cells)} ô cho kết quả khác.{also.vi}",
        f"Run again in other surroundings: {n} of {len(cells)} cells gave something else.{also.en}",
    )


def _cell(given: dict[str, Any]) -> CellEvidence:
    verdict, cause = text(given.get("verdict")), text(given.get("cause"))
    return CellEvidence(
        number=(whole(given.get("index")) or 0) + 1,
        verdict=verdict if verdict in VERDICTS else "",
        word=VERDICTS.get(verdict, Words(verdict)),
        cause=CAUSES.get(cause, Words(cause)),
        differences=tuple(
            Difference(
                what=WHATS.get(text(one.get("what")), Words(text(one.get("what")))),
                where=_where(text(one.get("where"))[:LONGEST]),
                first=text(one.get("first"))[:LONGEST],
                repeat=text(one.get("repeat"))[:LONGEST],
            )
            for one in objects(given.get("differences"))
        ),
    )


def _where(given: str) -> Words:
    """Say in both languages where in an output a difference stands."""
    vi = PLACES.sub(lambda found: PLACE_WORDS[found[1]], given)
    return Words(vi, given if vi != given else "")


def _settings(given: dict[str, Any]) -> tuple[Setting, ...]:
    first, repeat = mapping(given.get("first")), mapping(given.get("repeat"))
    return tuple(
        Setting(name=name, first=_setting(key, first), repeat=_setting(key, repeat))
        for key, name in SETTINGS.items()
        if first.get(key) is not None or repeat.get(key) is not None
    )


def _setting(key: str, given: dict[str, Any]) -> Words:
    value = given.get(key)
    written = text(value).partition(".")[0].replace("T", " ")
    return Words(f"{written} UTC" if key == "started_at" and written else text(value) or "—")


def _tolerance(given: dict[str, Any]) -> Words:
    """Say how far numbers may be apart."""
    relative, absolute = number(given.get("relative")), number(given.get("absolute"))
    if relative is None or absolute is None:
        return NOTHING
    levels = quantity(given.get("colour_levels_of_255")).vi
    return Words(
        "Sai số cho phép: số nguyên và chữ phải giống hệt; số thập phân lệch nhau nhiều nhất "
        f"{relative:.0e} lần giá trị (hoặc {absolute:.0e}); màu của hình lệch nhiều nhất {levels} "
        "trên 255 mức.",
        "Tolerance: whole numbers and texts must be the same; decimal numbers may differ by "
        f"{relative:.0e} of their value (or {absolute:.0e}); colours of a picture by {levels} of "
        "255 levels.",
    )
