"""Why a replica lies further from a published table than a sample would."""

from __future__ import annotations

from synthetic.evaluation.measured import Distance
from synthetic.spec.models import Bilingual


def reason(far: Distance) -> Bilingual | None:
    """What is to be said beside the distance; None where the rows are as a sample would be."""
    if far.exact:
        return None
    if far.met and far.raised:
        return _floors(far.raised)
    if far.holds:
        return None
    return far.comparison.because or (_REDRAWN if far.redrawn else _TOO_FAR)


def _floors(raised: int) -> Bilingual:
    return Bilingual(
        vi=f"Đúng số công bố nhân với tỉ lệ, chỉ khác ở {raised} ô: ở đó con số ấy chưa đến một đơn "
        "vị, nhưng bản sao vẫn giữ một, để không tỉnh nào thiếu hẳn một loại. Tỉ lệ càng lớn thì "
        "càng ít ô như vậy.",
        en=f"The published number times the scale, but for {raised} cells: there it is less than "
        "one unit and the replica keeps one, so that no province lacks a kind altogether. The "
        "larger the scale, the fewer such cells.",
    )


_REDRAWN = Bilingual(
    vi="Lần gieo này rút ngẫu nhiên từ bản sao cùng cỡ có số tổng chính xác, nên mang cả phần làm "
    "tròn của bản ấy lẫn sai số lấy mẫu; vì vậy có khi xa hơn 99 trong 100 mẫu.",
    en="This draw is taken at random from the replica of its size that has exact margins. It has "
    "the rounding of that one and the error of sampling, and may lie further than 99 of 100 samples.",
)
_TOO_FAR = Bilingual(
    vi="Xa hơn 99 trong 100 mẫu ngẫu nhiên cùng cỡ, chưa rõ vì sao; đừng coi cột này là theo đúng "
    "bảng đã công bố.",
    en="Further than 99 of 100 random samples of this size, and nobody has found why; do not take "
    "this column to follow the published table.",
)
