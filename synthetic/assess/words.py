"""The sentences of an assessment, in Vietnamese and English."""

from __future__ import annotations

from synthetic.assess.associations import Measure
from synthetic.assess.conclusions import Answer, Question
from synthetic.assess.notes import Note, What
from synthetic.assess.privacy import Name

Both = dict[str, str]

WHY: dict[str, Both] = {
    "all": {
        "vi": "Mọi con số ở đây đều được tính từ dữ liệu thật, không thêm nhiễu và không trừ vào "
        "ngân sách riêng tư. Chỉ đơn vị giữ dữ liệu được xem; không công bố, không gửi ra ngoài.",
        "en": "Every figure here was computed from real records, without noise and outside the "
        "privacy budget. For their custodian alone: not to be published or sent on.",
    },
    "tables": {
        "vi": "Số dòng, số mức và các ghi chú nói về từng bản ghi thật.",
        "en": "Numbers of rows and levels, and the notes, tell of real records.",
    },
    "fidelity": {
        "vi": "Các khoảng cách được đếm trên bản ghi thật, không có nhiễu.",
        "en": "The distances are counted over real records, without noise.",
    },
    "utility": {
        "vi": "Mô hình học và được chấm trên bản ghi thật; các kết luận lấy từ bản ghi thật.",
        "en": "Models learn from and are scored on real records, and the conclusions are theirs.",
    },
    "privacy": {
        "vi": "Các phép tấn công nhằm vào bản ghi thật: kết quả nói ai dễ bị lộ.",
        "en": "The attacks are made on real records, and tell how exposed they are.",
    },
}

NOTES: dict[What, Both] = {
    What.OWN_BINS: {
        "vi": "Không có đặc tả: các khoảng của cột số được học từ chính dữ liệu thật, và hẹp ở chỗ có "
        "nhiều bản ghi.",
        "en": "without a --spec, the bins of numbers are learnt from the real table itself, narrow "
        "where records lie close",
    },
    What.LEFT_OUT: {
        "vi": "Bỏ qua, vì gần như mỗi dòng một giá trị: {columns}.",
        "en": "left out, since their texts name rows: {columns}",
    },
    What.UNSEEN: {
        "vi": "{columns}: {share} số dòng tổng hợp có giá trị mà dữ liệu thật không có; mỗi giá trị "
        "được tính là một mức riêng.",
        "en": "{columns}: {share} of the synthetic rows have a category that no record has; it "
        "counts as a level of its own",
    },
    What.ALL_MISSING: {
        "vi": "Không có giá trị nào trong dữ liệu thật: {columns}.",
        "en": "without any value in the real table: {columns}",
    },
    What.ONE_LEVEL: {
        "vi": "Chỉ có một mức trong dữ liệu thật: {columns}.",
        "en": "of one level in the real table: {columns}",
    },
    What.SHARED_ROWS: {
        "vi": "Phần để riêng có chung dòng với phần học: nó không phải là dữ liệu chưa được học, nên "
        "rủi ro bị tính thấp đi.",
        "en": "the holdout shares rows with the real table: it is no control, and risks come out "
        "too low; hold out rows that were in no training",
    },
    What.SHARED_UNITS: {
        "vi": "Phần để riêng có chung đối tượng với phần học: nó không phải là dữ liệu chưa được "
        "học, nên rủi ro bị tính thấp đi.",
        "en": "the holdout shares units with the real table: it is no control, and risks come out "
        "too low; hold out whole units",
    },
    What.NO_HOLDOUT: {
        "vi": "Không có phần để riêng: rủi ro riêng tư không có đối chứng, và mô hình được chấm trên "
        "một phần năm của chính dữ liệu đã học.",
        "en": "no --holdout: privacy has no control, and models are tested on a fifth of the records "
        "that the synthetic table was made from",
    },
}

NAMES: dict[Name, Both] = {
    Name.SINGLING_OUT: {"vi": "Tách riêng một người", "en": "Singling out"},
    Name.LINKABILITY: {"vi": "Nối hai nửa hồ sơ", "en": "Linkability"},
    Name.INFERENCE: {"vi": "Đoán một thuộc tính", "en": "Attribute inference"},
    Name.AUC: {"vi": "Nhận ra ai có mặt: AUC", "en": "Membership inference: AUC"},
    Name.TPR: {
        "vi": "Nhận ra ai có mặt, khi nhầm 1 %",
        "en": "Membership inference: found at 1 % false alarms",
    },
    Name.NEARER: {
        "vi": "Dòng tổng hợp gần phần học hơn",
        "en": "Synthetic rows nearer to train",
    },
    Name.COPIES: {"vi": "Bản ghi bị chép nguyên", "en": "Exact copies"},
}

QUESTIONS: dict[Question, Both] = {
    Question.DIFFERENCE: {"vi": "Hai nhóm lớn nhất khác nhau", "en": "Two largest groups differ"},
    Question.ORDER: {"vi": "Thứ tự trung bình các nhóm", "en": "Order of group means"},
    Question.CORRELATION: {"vi": "Dấu của tương quan", "en": "Sign of a correlation"},
}

ANSWERS: dict[Answer, Both] = {
    Answer.SAME: {"vi": "giống", "en": "same"},
    Answer.WRONG_SIGN: {"vi": "ngược dấu", "en": "wrong sign"},
    Answer.LOST: {"vi": "mất", "en": "lost"},
    Answer.INVENTED: {"vi": "không có thật", "en": "invented"},
}

MEASURES: dict[Measure, Both] = {
    Measure.CRAMERS_V: {"vi": "V của Cramér", "en": "Cramér's V"},
    Measure.CORRELATION_RATIO: {"vi": "tỉ số tương quan", "en": "correlation ratio"},
    Measure.PEARSON: {"vi": "tương quan Pearson", "en": "Pearson's correlation"},
}

_VARIANTS: dict[str, str] = {
    "all columns": "mọi cột",
    "closest record": "bản ghi gần nhất",
    "density ratio": "tỉ số mật độ",
    "pair ratio": "tỉ số từng cặp cột",
}

MODELS: dict[str, Both] = {
    "logistic regression": {"vi": "hồi quy logistic", "en": "logistic regression"},
    "gradient-boosted trees": {"vi": "cây tăng cường", "en": "gradient-boosted trees"},
}

WORDS: dict[str, Both] = {
    "title": {
        "vi": "Bảng tổng hợp đứng cạnh dữ liệu thật",
        "en": "The synthetic table beside the records",
    },
    "banner": {"vi": "KHÔNG ĐƯỢC CÔNG BỐ", "en": "NOT RELEASABLE"},
    "section_banner": {"vi": "Không công bố", "en": "Not releasable"},
    "rows": {"vi": "dòng", "en": "rows"},
    "columns": {"vi": "cột", "en": "columns"},
    "of_columns": {"vi": "Các cột", "en": "Columns"},
    "real": {"vi": "dữ liệu thật", "en": "real table"},
    "holdout": {"vi": "phần để riêng", "en": "holdout"},
    "synthetic": {"vi": "tổng hợp", "en": "synthetic"},
    "bootstrap": {"vi": "riêng ngẫu nhiên", "en": "chance alone"},
    "shuffled": {"vi": "xáo trộn cột", "en": "shuffled columns"},
    "notes": {"vi": "Cần biết trước khi đọc", "en": "To know before reading"},
    "summary": {"vi": "Tóm tắt", "en": "In short"},
    "fidelity": {"vi": "Giống đến đâu", "en": "Fidelity"},
    "fidelity_lead": {
        "vi": "Khoảng cách là phần nhỏ nhất của số dòng phải đổi nhóm để hai bảng trùng nhau, đếm "
        "theo một, hai rồi ba cột cùng lúc. Hai mốc để so: «riêng ngẫu nhiên» là rút lại chừng ấy "
        "dòng từ chính dữ liệu thật, khó gần hơn; «xáo trộn cột» là giữ từng cột nhưng bỏ mọi liên "
        "hệ. Phần để riêng có ít dòng thì xa hơn chỉ vì ít dòng.",
        "en": "The distance is the least part of the rows that would have to change group for both "
        "tables to agree, counted over one, two and three columns at once. Two marks to judge by: "
        "“chance alone” draws as many rows again from the records, and little can be nearer; "
        "“shuffled columns” keeps every column and breaks all that links them. A holdout of few rows "
        "is further off merely because it has few.",
    },
    "width": {"vi": "Số cột cùng lúc", "en": "Columns at once"},
    "mean": {"vi": "trung bình", "en": "mean"},
    "largest": {"vi": "lớn nhất", "en": "largest"},
    "of": {"vi": "của", "en": "of"},
    "worst": {"vi": "Xa nhất", "en": "Furthest"},
    "associations": {"vi": "Liên hệ giữa hai cột", "en": "Associations of two columns"},
    "associations_lead": {
        "vi": "Mức liên hệ trong bảng tổng hợp lệch bao nhiêu so với dữ liệu thật; 0 là không liên hệ, "
        "1 là liên hệ hoàn toàn.",
        "en": "By how much associations in the synthetic table differ from the records'; 0 is none, 1 "
        "is full.",
    },
    "pair": {"vi": "Cặp cột", "en": "Pair"},
    "measure": {"vi": "Thước đo", "en": "Measure"},
    "difference": {"vi": "Độ lệch", "en": "Difference"},
    "independence": {
        "vi": "Phụ thuộc khi đã biết cột thứ ba",
        "en": "Dependence once a third column is known",
    },
    "independence_lead": {
        "vi": "Hai cột còn phụ thuộc nhau không, trong những dòng giống nhau ở cột thứ ba? «Mất» là "
        "có trong dữ liệu thật mà không còn trong bảng tổng hợp; «không có thật» là ngược lại. Ngưỡng "
        "lấy từ chính các dòng ấy sau khi hoán vị.",
        "en": "Do two columns still depend on each other among rows that are alike in a third? “Lost” "
        "is there in the records and no more in the synthetic table; “invented” is the reverse. The "
        "threshold comes from the same rows, permuted.",
    },
    "checked": {"vi": "bộ ba cột đã xét", "en": "triples looked at"},
    "in_records": {"vi": "phụ thuộc có thật", "en": "dependences in the records"},
    "kept": {"vi": "giữ được", "en": "kept"},
    "lost": {"vi": "mất", "en": "lost"},
    "invented": {"vi": "không có thật", "en": "invented"},
    "halves": {
        "vi": "hai nửa của dữ liệu thật so với nhau",
        "en": "two halves of the records against each other",
    },
    "given": {"vi": "khi biết", "en": "given"},
    "nats": {"vi": "Thông tin (nat)", "en": "Information (nats)"},
    "what": {"vi": "Điều gì", "en": "What"},
    "utility": {"vi": "Dùng được đến đâu", "en": "Utility"},
    "utility_lead": {
        "vi": "Cùng một mô hình học hai lần, từ bảng tổng hợp và từ dữ liệu thật, rồi được chấm trên "
        "những bản ghi thật khác. AUC là xác suất xếp đúng thứ tự: 1 là hoàn hảo, 0,5 là đoán bừa. "
        "Dòng nhỏ bên dưới là khoảng tin cậy 95 %.",
        "en": "The same model learns twice, from the synthetic table and from the records, and is "
        "tested on other records. AUC is the chance of ranking rightly: 1 is perfect, 0.5 is "
        "guessing. The small line below is the 95 % interval.",
    },
    "target": {"vi": "Cột cần đoán", "en": "Target"},
    "learnt_synthetic": {"vi": "AUC, học từ tổng hợp", "en": "AUC from synthetic"},
    "learnt_real": {"vi": "AUC, học từ thật", "en": "AUC from real"},
    "lost_auc": {"vi": "Kém đi", "en": "Lost"},
    "accuracy": {
        "vi": "Đoán đúng: tổng hợp / thật / luôn đoán nhóm đông nhất",
        "en": "Accuracy: synthetic / real / always the commonest",
    },
    "above_median": {"vi": "trên trung vị", "en": "above the median"},
    "conclusions": {"vi": "Cùng kết luận hay không", "en": "The same conclusions"},
    "conclusions_lead": {
        "vi": "Những phân tích thường gặp được làm lại trên mỗi bảng. «Ngược dấu» là nguy hiểm nhất: cả "
        "hai bên đều có ý nghĩa thống kê nhưng trái chiều; với thứ tự, là có hai nhóm đổi chỗ.",
        "en": "Ordinary analyses are repeated on each table. “Wrong sign” is the dangerous one: "
        "significant on both sides, and the other way round; in an order, two groups change "
        "places.",
    },
    "analyses": {"vi": "phân tích", "en": "analyses"},
    "table": {"vi": "Bảng", "en": "Table"},
    "same": {"vi": "giống", "en": "same"},
    "wrong_sign": {"vi": "ngược dấu", "en": "wrong sign"},
    "question": {"vi": "Câu hỏi", "en": "Question"},
    "answer": {"vi": "Trả lời", "en": "Answer"},
    "privacy": {"vi": "Riêng tư", "en": "Privacy"},
    "privacy_lead": {
        "vi": "Mỗi phép tấn công được thử trên bản ghi đã học và, làm đối chứng, trên bản ghi chưa học. "
        "Chỉ phần vượt đối chứng mới là rủi ro do việc học gây ra: rủi ro = (tỉ lệ − đối chứng) / "
        "(1 − đối chứng). Khoảng tin cậy 95 % chứa số 0 thì chưa thấy rủi ro; trong nhiều phép thử, "
        "khoảng 1 trên 40 vượt 0 do ngẫu nhiên.",
        "en": "Each attack is tried on records that were learnt from and, as its control, on records "
        "that were not. Only what lies above the control is a risk of the learning: risk = (rate − "
        "control) / (1 − control). Where the 95 % interval holds 0 no risk is seen; of many attacks "
        "about 1 in 40 passes 0 by chance.",
    },
    "attack": {"vi": "Tấn công", "en": "Attack"},
    "rate": {"vi": "Tỉ lệ", "en": "Rate"},
    "control": {"vi": "Đối chứng", "en": "Control"},
    "guess": {"vi": "Đoán mò", "en": "Guessing"},
    "risk": {"vi": "Rủi ro", "en": "Risk"},
    "distances": {
        "vi": "Khoảng cách từ một bản ghi đến dòng tổng hợp gần nhất",
        "en": "Distance from a record to its closest synthetic row",
    },
    "distances_lead": {
        "vi": "0 là bản chép, 1 là khác ở mọi cột. Bản ghi đã học gần hơn hẳn bản ghi chưa học là dấu "
        "hiệu bị chép.",
        "en": "0 is a copy, 1 differs in every column. Records that were learnt from being nearer "
        "than those that were not is a sign of copying.",
    },
    "quantile": {"vi": "Phân vị", "en": "Quantile"},
    "learnt": {"vi": "Đã học", "en": "Learnt from"},
    "not_learnt": {"vi": "Chưa học", "en": "Not learnt from"},
    "untold": {"vi": "Không đo được khi thiếu phần để riêng", "en": "Not told without a holdout"},
    "none": {"vi": "Bảng này không cho biết.", "en": "These tables do not tell."},
}

SUMMARY: dict[str, Both] = {
    "marginals": {
        "vi": "Theo {width} cột cùng lúc, bảng tổng hợp cách dữ liệu thật {synthetic}; riêng ngẫu nhiên "
        "đã {bootstrap}, còn nếu các cột không liên hệ gì thì {shuffled}.",
        "en": "Over {width} columns at once the synthetic table is {synthetic} from the records; "
        "chance alone gives {bootstrap}, columns without any link {shuffled}.",
    },
    "utility": {
        "vi": "Mô hình học từ bảng tổng hợp đạt AUC {synthetic}; học từ dữ liệu thật {real}; đoán bừa "
        "{guess} (trung bình {n} cột cần đoán).",
        "en": "Models that learn from the synthetic table reach an AUC of {synthetic}; from the "
        "records {real}; guessing {guess} (mean of {n} targets).",
    },
    "conclusions": {
        "vi": "{same} trên {n} kết luận giống dữ liệu thật; {wrong} ngược dấu.",
        "en": "{same} of {n} conclusions are those of the records; {wrong} have the wrong sign.",
    },
    "privacy": {
        "vi": "{above} trên {n} phép tấn công vượt đối chứng rõ rệt (riêng ngẫu nhiên: khoảng {chance}); "
        "rủi ro lớn nhất: {name}, {risk}.",
        "en": "{above} of {n} attacks are clearly above their control (by chance alone: about "
        "{chance}); the largest risk: {name}, {risk}.",
    },
    "no_control": {
        "vi": "Không có phần để riêng nên chưa thể nói rủi ro riêng tư.",
        "en": "Without a holdout nothing can be said of the privacy risk.",
    },
}


def note_text(note: Note, language: str) -> str:
    """A note as a sentence; the share as a percentage."""
    share = "" if note.share is None else f"{note.share:.2%}".replace("%", " %")
    if language == "vi":
        share = share.replace(".", ",")
    return NOTES[note.what][language].format(columns=", ".join(note.columns), share=share)


def variant_text(variant: str, language: str) -> str:
    """What an attack knows or seeks; names of columns stay as they are."""
    if language == "en":
        return variant
    number, _, rest = variant.partition(" ")
    if number.isdigit() and rest in ("column", "columns"):
        return f"{number} cột"
    return _VARIANTS.get(variant, variant)
