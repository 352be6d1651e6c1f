"""What the report says, in Vietnamese first and in English beside it."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.runs.report.reading import mapping, text


@dataclass(frozen=True)
class Words:
    """One thing said twice; `en` is empty where there is nothing to add."""

    vi: str
    en: str = ""

    def __bool__(self) -> bool:
        return bool(self.vi)


NOTHING = Words("")


def said(value: object) -> Words:
    """Read what an author wrote: one text, or a pair of texts under `vi` and `en`."""
    if not isinstance(value, dict):
        return Words(text(value))
    pair = mapping(value)
    vi, en = text(pair.get("vi")), text(pair.get("en"))
    return Words(vi or en, en if vi and en != vi else "")


STATUSES = {
    "succeeded": Words("Chạy thành công", "Succeeded"),
    "failed": Words("Chạy không thành công", "Failed"),
    "cancelled": Words("Đã hủy giữa chừng", "Cancelled"),
    "lost": Words("Không rõ kết cục", "Lost"),
    "running": Words("Đang chạy", "Running"),
    "queued": Words("Đang chờ", "Queued"),
}
UNKNOWN_STATUS = Words("Chưa rõ trạng thái", "State unknown")

REASONS = {
    "completed": Words(
        "Mọi ô mã đã chạy đến hết, không ô nào báo lỗi.",
        "Every code cell ran to its end and none reported an error.",
    ),
    "cell error": Words(
        "Sổ tay dừng lại vì một ô báo lỗi.", "The notebook stopped because a cell raised an error."
    ),
    "memory": Words(
        "Bị dừng vì dùng quá bộ nhớ cho phép.", "Stopped: it used more memory than it may."
    ),
    "time": Words("Bị dừng vì chạy quá thời gian cho phép.", "Stopped: it ran longer than it may."),
    "CPU": Words(
        "Bị dừng vì dùng quá thời gian bộ xử lý cho phép.",
        "Stopped: it used more processor time than it may.",
    ),
    "processes": Words(
        "Bị dừng vì mở quá nhiều tiến trình.", "Stopped: it started more processes than it may."
    ),
    "output size": Words(
        "Bị dừng vì in ra quá nhiều.", "Stopped: it printed more output than it may."
    ),
    "disk": Words(
        "Bị dừng vì ghi quá dung lượng đĩa cho phép.", "Stopped: it wrote more to disk than it may."
    ),
    "disk full": Words(
        "Bị dừng vì ổ đĩa của máy còn trống dưới 256 MiB; hãy dọn chỗ rồi chạy lại.",
        "Stopped: the machine's disk has less than 256 MiB free; free some space and run again.",
    ),
    "kernel died": Words(
        "Tiến trình chạy sổ tay chết đột ngột.", "The process that ran the notebook died."
    ),
    "exit called": Words(
        "Sổ tay tự thoát giữa chừng, nên không được coi là chạy xong.",
        "The notebook ended itself part-way, which does not count as completing.",
    ),
    "cancelled": Words("Bị dừng theo yêu cầu.", "Stopped on request."),
    "supervisor lost": Words(
        "Bộ giám sát ngừng giữa chừng; không biết sổ tay đã chạy đến đâu.",
        "The supervisor stopped part-way; how far the notebook came is not known.",
    ),
    "could not start": Words(
        "Không khởi động được môi trường để chạy sổ tay.",
        "The environment for the notebook could not be started.",
    ),
}

STATES = {
    "succeeded": Words("✓ xong", "succeeded"),
    "failed": Words("✗ lỗi", "failed"),
    "interrupted": Words("◼ bị ngắt", "interrupted"),
    "running": Words("… đang chạy", "running"),
    "not run": Words("– chưa chạy", "not run"),
}

FIDELITY = {
    "calibrated": Words("Hiệu chỉnh", "calibrated"),
    "measured": Words("Đo có nhiễu", "measured with noise"),
    "derived": Words("Suy ra", "derived"),
    "assumed": Words("Giả định", "assumed"),
    "unknown": Words("Không rõ", "unknown"),
}
FIDELITY_MEANS = {
    "calibrated": Words(
        "đi theo một bảng đã công bố; độ lệch được đo.",
        "follows a published table; the distance is measured.",
    ),
    "measured": Words(
        "học từ số đếm trên dữ liệu thật, đã thêm nhiễu theo một ngân sách riêng tư được nêu rõ.",
        "learnt from counts of real records that noise was added to, under a stated privacy budget.",
    ),
    "derived": Words(
        "tính ra từ những cột khác.",
        "computed from other columns.",
    ),
    "assumed": Words(
        "không có bảng nào để theo; do chúng tôi đặt ra, kèm lý do.",
        "no table to follow; set by us, with the reason.",
    ),
}

RUNNERS = {
    "author": Words("máy của tác giả", "the author's machine"),
    "institution": Words("máy của một cơ quan", "an institution's machine"),
}
UNKNOWN_RUNNER = Words("máy không rõ của ai", "a machine whose owner is not known")

MARGINS = {
    "exact": Words("khớp đúng tổng đã công bố", "exact: published totals met to the last unit"),
    "sampled": Words("lấy mẫu", "sampled: drawn as a sample of the country"),
}

LIMITS = {
    "wall_s": Words("Thời gian", "wall-clock time"),
    "cpu_s": Words("Thời gian bộ xử lý", "processor time"),
    "memory_bytes": Words("Bộ nhớ", "memory"),
    "processes": Words("Số tiến trình", "processes"),
    "disk_bytes": Words("Dung lượng đĩa", "disk"),
    "output_bytes": Words("Dung lượng in ra", "output"),
    "file_bytes": Words("Tệp lớn nhất", "largest file"),
    "files": Words("Số tệp", "files"),
    "open_files": Words("Số tệp mở cùng lúc", "open files"),
    "tmp_bytes": Words("Thư mục tạm", "temporary folder"),
    "shm_bytes": Words("Bộ nhớ chung", "shared memory"),
}
POLICY = {
    "network": Words("Mạng", "network"),
    "host_home": Words("Thư mục riêng của máy", "the machine's home folders"),
    "privileges": Words("Đặc quyền", "privileges"),
    "system_calls": Words("Lời gọi hệ thống", "system calls"),
    "writable": Words("Được ghi", "may write"),
    "readable": Words("Được đọc", "may read"),
    "environment": Words("Biến môi trường", "environment variables"),
}
POLICY_VALUES = {  # as `Policy.to_record` writes them
    "none, and no new ones; nested user namespaces refused": Words(
        "không có và không nhận thêm; từ chối không gian người dùng lồng nhau",
        "none and no new ones; nested user namespaces refused",
    ),
    "filtered": Words("được lọc", "filtered"),
    "not filtered": Words("không lọc", "not filtered"),
    "system": Words("hệ thống", "system"),
    "interpreter": Words("trình thông dịch", "interpreter"),
    "packages": Words("gói phần mềm", "packages"),
}
YES = Words("có", "yes")
NO = Words("không", "no")
USED = {  # which measured use stands beside which limit
    "wall_s": "seconds",
    "cpu_s": "cpu_s",
    "memory_bytes": "peak_memory_bytes",
    "disk_bytes": "disk_bytes",
    "output_bytes": "output_bytes",
    "processes": "processes",
}

NOT_REPEATED = Words(
    "Chạy một lần, chưa lặp lại; chưa thử trên lần gieo khác.",
    "Run once, not repeated; not tried on another draw.",
)
SYNTHETIC = Words(
    "Mọi con số ở đây được tính trên dữ liệu tổng hợp: người, hộ và doanh nghiệp do máy tạo ra, "
    "hiệu chỉnh theo các bảng thống kê tổng hợp đã công bố. Không dòng nào được chép từ hồ sơ "
    "của một người thật; một họ tên đi cùng ngày sinh và xã đôi khi vẫn trùng với người đang "
    "sống, vì tình cờ. Các con số tái hiện điều những bảng đó đã nói; phát hiện nào dựa vào cột "
    "giả định thì chỉ nhắc lại giả định của chúng tôi.",
    "Every figure here was computed on synthetic data: persons, households and enterprises made "
    "by a machine, calibrated to published aggregate statistics. No row was copied from the "
    "record of a real person; a name with a birth date and a commune will sometimes coincide "
    "with a living person's, by chance. The figures reproduce what those tables already say; a "
    "finding that rests on assumed columns echoes our assumptions.",
)
SYNTHETIC_SHORT = Words(
    "Số liệu tổng hợp: không phải bằng chứng về người thật; xem phần cuối.",
    "Synthetic data: no evidence about real people; see the end.",
)
RAN_ONCE = Words(
    "Lượt này mới chạy một lần, nên chưa cho biết kết luận có đứng vững khi chạy lại hay khi gieo "
    "lại dữ liệu.",
    "This was run once, so it does not tell whether a conclusion survives a repeat or another "
    "draw.",
)
RAN_TWICE = Words(
    "Chạy lại được không có nghĩa là đúng: lượt này chưa cho biết kết luận có đứng vững khi gieo "
    "lại dữ liệu.",
    "That a run repeats does not make it right: this does not tell whether a conclusion survives "
    "another draw.",
)
REDREW = Words(
    "Gieo lại chỉ đo phần may rủi của bộ tạo dữ liệu tổng hợp, không đo Việt Nam: kết luận đứng "
    "vững trên mọi lần gieo vẫn có thể sai ngoài đời.",
    "Fresh draws measure the chance in the generator of the synthetic data, not Viet Nam: a "
    "conclusion that holds on every draw can still be wrong in life.",
)
CHECK = Words(
    "Trước khi quyết định, hãy kiểm chứng trên dữ liệu thật, tại cơ quan có thẩm quyền.",
    "Before deciding, check on real data, with the authority that holds it.",
)
