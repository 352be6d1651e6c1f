"""The page's own sentences, in Vietnamese and English."""

from __future__ import annotations

WORDS = {
    "title": {"vi": "Bản sao đúng đến đâu", "en": "How true is the replica"},
    "intro": {
        "vi": "Mỗi bảng đã công bố mà bản sao đi theo được đếm lại trong bản sao. Khoảng cách là "
        "phần nhỏ nhất của số dòng phải đổi nhóm để hai bên trùng nhau. Bên cạnh là khoảng cách "
        "mà riêng việc lấy mẫu ngẫu nhiên cũng gây ra, nếu rút chừng ấy hộ (hay đơn vị) từ cả nước. "
        "Bản sao được coi là gần nếu nó không xa hơn 99 trong 100 mẫu như vậy.",
        "en": "Every published table that the replica follows is counted again in the replica. The "
        "distance is the least part of the rows that would have to change category for both to "
        "agree. Beside it stands the distance that random sampling alone would give, if as many "
        "households (or units) were drawn from the country. The replica counts as near if it is no "
        "further than 99 of 100 such samples.",
    },
    "limits": {
        "vi": "Đúng với các bảng này không có nghĩa là đúng về mọi mặt: điều không bảng nào nói thì bản "
        "sao chỉ giả định.",
        "en": "True to these tables is not true in every respect: what no table says, the replica "
        "only assumes.",
    },
    "table": {"vi": "Bảng của bản sao", "en": "Table of the replica"},
    "compared": {"vi": "So theo", "en": "Compared by"},
    "against": {"vi": "Với bảng đã công bố", "en": "With the published table"},
    "distance": {"vi": "Khoảng cách", "en": "Distance"},
    "chance": {"vi": "Riêng lấy mẫu", "en": "Sampling alone"},
    "ratio": {"vi": "Tỉ số", "en": "Ratio"},
    "worst": {"vi": "Ô lệch nhất", "en": "Cell furthest off"},
    "verdict": {"vi": "Nhận định", "en": "Verdict"},
    "exact": {"vi": "Đúng đến từng đơn vị", "en": "Exact to the last unit"},
    "floors": {
        "vi": "Đúng, trừ ô giữ ít nhất một đơn vị",
        "en": "Exact, but for cells that keep one unit",
    },
    "holds": {"vi": "Gần như một mẫu ngẫu nhiên", "en": "As near as a random sample"},
    "contradicts": {
        "vi": "Trái với bảng được theo",
        "en": "Contradicts the table that is followed",
    },
    "far": {"vi": "Xa hơn 99 trong 100 mẫu", "en": "Further than 99 of 100 samples"},
    "published": {"vi": "đã công bố", "en": "published"},
    "replica": {"vi": "bản sao", "en": "replica"},
    "map_key": {
        "vi": "Số trong ô: bản sao lệch bao nhiêu phần trăm so với số công bố của tỉnh.",
        "en": "In each tile: by how many per cent the replica is off the province's published number.",
    },
    "more": {"vi": "nhóm nhỏ hơn không vẽ", "en": "smaller categories are not drawn"},
    "association": {
        "vi": "Mức liên hệ giữa hai cột (V của Cramér): công bố",
        "en": "Association of two columns (Cramér's V): published",
    },
    "in_replica": {"vi": "bản sao", "en": "replica"},
    "sources": {"vi": "Nguồn", "en": "Source"},
    "contradictions": {
        "vi": "Chỗ các bảng đã công bố trái nhau",
        "en": "Where published tables contradict each other",
    },
    "kept": {"vi": "Được theo", "en": "Followed"},
    "bent": {
        "vi": "Được điều chỉnh cho khớp, hoặc không theo",
        "en": "Adapted to it, or not followed",
    },
    "between": {"vi": "Hai bảng cách nhau", "en": "Between the two"},
    "to_kept": {"vi": "Bản sao cách bảng được theo", "en": "Replica to the table followed"},
    "to_bent": {"vi": "Bản sao cách bảng kia", "en": "Replica to the other table"},
    "columns": {"vi": "Từng cột đúng đến đâu", "en": "How true each column is"},
    "column": {"vi": "Cột", "en": "Column"},
    "status": {"vi": "Độ trung thực", "en": "Fidelity"},
    "evidence": {
        "vi": "Theo bảng nào, lệch bao nhiêu, vì sao",
        "en": "Against which table, how far, why",
    },
    "only_derived": {
        "vi": "Tính từ cột khác, nên chỉ đúng bằng những cột ấy.",
        "en": "Computed from other columns, and only as true as they are.",
    },
    "counted": {"vi": "Xem hình và số", "en": "See pictures and figures"},
    "calibrated": {"vi": "hiệu chỉnh theo số công bố", "en": "calibrated"},
    "measured": {
        "vi": "đo có nhiễu (riêng tư vi phân)",
        "en": "measured under differential privacy",
    },
    "derived": {"vi": "tính từ cột khác", "en": "derived"},
    "assumed": {"vi": "giả định", "en": "assumed"},
    "assumptions": {
        "vi": "Điều được giả định về chính các dòng",
        "en": "What is assumed of the rows themselves",
    },
    "unmeasured": {
        "vi": "Bảng đã công bố còn được dùng để lấy mã, tổng số hoặc mức, không có cột nào để đếm lại",
        "en": "Published tables used for codes, totals or levels, with no column to count again",
    },
    "privacy": {"vi": "Riêng tư", "en": "Privacy"},
    "recipe": {"vi": "Cách dựng", "en": "Recipe"},
    "scale": {"vi": "tỉ lệ", "en": "scale"},
    "seed": {"vi": "lần gieo", "en": "draw"},
    "area": {"vi": "khu vực", "en": "area"},
    "country": {"vi": "cả nước", "en": "the country"},
    "none": {
        "vi": "Không cột nào của bản sao này được đếm lại theo một bảng đã công bố.",
        "en": "No column of this replica is counted against a published table.",
    },
}
