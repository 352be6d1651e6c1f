"""The first lines of a new spec: a small dataset, linked to persons, that checks and builds.

Its comments lead the writer from what stands there to what they want to say. The text is written to
a file that was not there: nobody's work is overwritten.
"""

from __future__ import annotations

import re
from pathlib import Path

from synthetic.errors import SpecError
from synthetic.spec.load import packaged
from synthetic.spec.models import RESERVED
from synthetic.spec.schema import FILE_NAME, text
from synthetic.tables.files import make_folder, storage_error, write_atomically

_NAME = re.compile("[a-z][a-z0-9_]{0,62}")


def check_name(name: str) -> None:
    """Refuse a dataset's name that no spec can bear."""
    if not _NAME.fullmatch(name):
        raise SpecError(
            f"name {name[:80]!r}: small letters a to z, digits and '_', a letter first, at most 63 "
            "(such as 'school_buses')"
        )
    if name in RESERVED:
        raise SpecError(f"name {name!r} is reserved; choose another than {', '.join(RESERVED)}")
    if name in packaged():
        raise SpecError(
            f"name {name!r} is a packaged dataset's; choose another than {', '.join(packaged())}"
        )


def scaffold(name: str) -> str:
    """Return the text of a spec of this name that checks and builds as it stands."""
    check_name(name)
    return _TEXT.replace("<name>", name).replace("<schema>", FILE_NAME)


def write_new(name: str, spec: str, folder: Path) -> Path:
    """Write a spec, and beside it the schema for editors; refuse a file that is there."""
    path = make_folder(folder) / f"{name}.toml"
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(spec)
    except FileExistsError:
        raise SpecError(
            f"{path}: exists, and is left as it is; choose another name or --out, or remove it"
        ) from None
    except OSError as error:
        raise storage_error("write", path, error) from error
    if not (folder / FILE_NAME).exists():
        write_atomically(folder / FILE_NAME, text().encode())
    return path


_TEXT = """#:schema ./<schema>
# <name>: một bộ dữ liệu mới, nối với dân cư. Sửa từng phần theo lời dẫn.
# <name>: a new dataset, linked to the population. Change it part by part as the comments lead.
#
#   synthetic check <name>.toml                                    lỗi nào? / any fault?
#   synthetic build <name> --specs . --scale 0.001                 dựng thử / build a little
#   synthetic verify FOLDER --specs .                              kiểm chứng / verify what was built
#
# Dòng đầu cho trình soạn thảo (Even Better TOML, Taplo) biết các khóa được phép:
# The first line tells editors (Even Better TOML, Taplo) which keys there are:
#   synthetic schema --out <schema>
spec = 1
dataset = "<name>" # cũng là tên tệp / the file's name too
title = { vi = "Bộ dữ liệu <name>", en = "Dataset <name>" }
description = { vi = "Bản sao tổng hợp để bắt đầu: người dùng một dịch vụ và các lần sử dụng. Không dòng nào là một người thật.", en = "A synthetic replica to begin with: users of a service and their visits. No row is a real person." }
as_of = 2024-12-31 # as_of() trong biểu thức / in expressions
licence = "CC-BY-4.0"
uses = ["population"] # các bộ mà khóa dẫn tới / the datasets that keys lead to

# ---------------------------------------------------------------- số liệu công bố / published margins
# Con số nào đã công bố thì theo, cột đó sẽ là «hiệu chỉnh» (xem published.* trong sổ tay):
# Follow what is published and the column is "calibrated" (see published.* in a notebook):
#
# [margins.channels]
# table = "TABLE"                      # một bảng đã công bố / a published table
# where = { year = "2024" }            # chỉ các dòng này / only these rows
# axes = { channel = "COLUMN" }        # trục = cột của bảng / axis = column of the table
# value = "COLUMN"
# unit = "persons"
#
# rồi ở cột / then at the column:  follows = "channels"

# ---------------------------------------------------------------- người dùng / users
# Các loại dòng (rows): children (con của bảng khác), units (đơn vị theo địa bàn), cells (ô của một
# bảng công bố), matching (người vào chỗ làm). / The kinds of rows.

[tables.users]
title = { vi = "Người dùng", en = "Users" }
description = { vi = "Mỗi dòng là một người từ 15 tuổi có dùng dịch vụ.", en = "One row per person of 15 years or more who uses the service." }
key = ["person_id"]
area = "province_code" # cột mà --area chọn / the column that --area selects by

[tables.users.rows.children]
of = "population.persons"
where = "age >= 15" # cột của bảng cha / the parent's columns
most = 1
count.assume.shares = { 0 = 90, 1 = 10 } # 10 % số người / of persons
because = { vi = "Giả định để bắt đầu: một phần mười số người từ 15 tuổi; hãy thay bằng nguồn của bạn.", en = "An assumption to begin with: a tenth of persons from 15; put your source here." }

# Quy tắc đúng ở mọi dòng; verify thử lại từng dòng. / Rules hold in every row; verify tries each.
[[tables.users.rules]]
title = { vi = "Người dùng từ 15 tuổi và ở cùng tỉnh với bản sao dân cư", en = "Users are 15 or older and live where the population says" }
holds = "person_id.age >= 15 and person_id.province_code == province_code"

[[tables.users.rules]]
title = { vi = "Đăng ký không sau ngày của bộ dữ liệu", en = "Registered no later than the dataset's date" }
holds = "registered_on <= as_of()"

# Câu hỏi mẫu hiện trong danh mục dữ liệu và lab.describe; check thử từng câu SQL. Không số nào được
# rút ra từ đây. / Questions are shown in the catalogue and by lab.describe; check tries their SQL.
[[tables.users.questions]]
vi = "Mỗi tháng có bao nhiêu người đăng ký, qua kênh nào?"
en = "How many people register each month, and through which channel?"
sql = '''
SELECT strftime(registered_on, '%Y-%m') AS month, channel, count(*) AS users
FROM <name>.users
GROUP BY ALL
ORDER BY month, channel
'''

[[tables.users.questions]]
vi = "Tỉnh, thành phố nào có nhiều người dùng nhất?"
en = "Which provinces have the most users?"
sql = '''
SELECT p.name AS province, count(*) AS users
FROM <name>.users AS u
JOIN published.admin_provinces_34 AS p USING (province_code)
GROUP BY ALL
ORDER BY users DESC, province
'''

[[tables.users.questions]]
vi = "Người dùng ở độ tuổi nào, nam hay nữ?"
en = "How old are users, and of which sex?"
sql = '''
SELECT p.age // 10 * 10 AS age_from, p.sex, count(*) AS users
FROM <name>.users AS u
JOIN population.persons AS p USING (person_id)
GROUP BY ALL
ORDER BY age_from, p.sex
'''

[tables.users.columns.person_id]
title = { vi = "Số định danh của người dùng (tổng hợp)", en = "The user's personal number (synthetic)" }
type = "text"
sensitivity = "identifier" # identifier, quasi-identifier, sensitive, none
references = "population.persons.person_id" # khóa nối / the key that joins
take = "parent.person_id" # lấy từ dòng cha / from the parent's row

[tables.users.columns.province_code]
title = { vi = "Mã tỉnh, thành phố", en = "Province code" }
type = "code"
codes_from = { table = "admin_provinces_34", code = "province_code", vi = "name", en = "name_en" }
take = "area"

[tables.users.columns.commune_code]
title = { vi = "Mã xã, phường, đặc khu", en = "Commune code" }
type = "code"
codes_from = { table = "admin_communes", code = "commune_code", vi = "full_name", en = "name_en" }
take = "place"

[tables.users.columns.sex]
title = { vi = "Giới tính", en = "Sex" }
type = "code"
codes.male = { vi = "Nam", en = "Male" }
codes.female = { vi = "Nữ", en = "Female" }
hidden = true # tính cho cột khác, không ghi ra / computed for others, not written
take = "parent.sex"

# Một phân bố chưa ai công bố thì là giả định, và phải nói vì sao. Có thể theo cột khác (given).
# What nobody publishes is an assumption that says why. It may depend on other columns (given).
[tables.users.columns.channel]
title = { vi = "Kênh đăng ký", en = "Channel of registration" }
type = "code"
codes.app = { vi = "Ứng dụng", en = "App" }
codes.web = { vi = "Trang web", en = "Website" }
codes.counter = { vi = "Tại quầy", en = "At a counter" }
given = ["sex"]
assume.shares = { male = { app = 5, web = 3, counter = 2 }, female = { app = 6, web = 2, counter = 2 } }
because = { vi = "Giả định để bắt đầu; hãy thay bằng nguồn của bạn.", en = "An assumption to begin with; put your source here." }

[tables.users.columns.registered_on]
title = { vi = "Ngày đăng ký", en = "Registered on" }
type = "date"
assume.day = { from = "date(2022, 1, 1)", to = "as_of()", weekdays = [10, 10, 10, 10, 10, 4, 2] }
because = { vi = "Giả định: đều theo thời gian, ít hơn vào cuối tuần.", en = "Assumed: even over time, fewer at weekends." }

# ---------------------------------------------------------------- lần sử dụng / visits

[tables.visits]
title = { vi = "Lần sử dụng", en = "Visits" }
description = { vi = "Mỗi dòng là một lần dùng dịch vụ.", en = "One row per use of the service." }
key = ["visit_id"]
area = "province_code"

[tables.visits.rows.children]
of = "<name>.users"
most = 8
count.assume.quantiles = [0, 1, 2, 4, 8]
because = { vi = "Số lần trên mỗi người là giả định.", en = "How often somebody comes is assumed." }

[[tables.visits.rules]]
title = { vi = "Sử dụng từ ngày đăng ký", en = "No visit before registration" }
holds = "date_of(visited_at) >= person_id.registered_on"

[[tables.visits.questions]]
vi = "Người ta đến vào giờ nào trong ngày?"
en = "At which hours of the day do people come?"
sql = '''
SELECT hour(visited_at) AS visit_hour, count(*) AS visits
FROM <name>.visits
GROUP BY ALL
ORDER BY visit_hour
'''

[[tables.visits.questions]]
vi = "Mỗi kênh đem lại bao nhiêu lượt và bao nhiêu phí?"
en = "How many visits and how much in fees does each channel bring?"
sql = '''
SELECT u.channel, count(*) AS visits, sum(v.fee) AS fees_thousand_vnd
FROM <name>.visits AS v
JOIN <name>.users AS u USING (person_id)
GROUP BY u.channel
ORDER BY visits DESC
'''

[[tables.visits.questions]]
vi = "Một người dùng quay lại bao nhiêu lần?"
en = "How often does a user come back?"
sql = '''
WITH counted AS (
    SELECT person_id, count(*) AS visits FROM <name>.visits GROUP BY person_id
)
SELECT visits, count(*) AS users
FROM counted
GROUP BY visits
ORDER BY visits
'''

[tables.visits.columns.visit_id]
title = { vi = "Số thứ tự lần sử dụng", en = "Number of the visit" }
type = "integer"
take = "number" # không lặp trong bảng / never repeated in the table

[tables.visits.columns.person_id]
title = { vi = "Số định danh của người dùng (tổng hợp)", en = "The user's personal number (synthetic)" }
type = "text"
sensitivity = "identifier"
references = "<name>.users.person_id"
take = "parent.person_id"

[tables.visits.columns.province_code]
title = { vi = "Mã tỉnh, thành phố", en = "Province code" }
type = "code"
codes_from = { table = "admin_provinces_34", code = "province_code", vi = "name", en = "name_en" }
take = "area"

[tables.visits.columns.registered_on]
title = { vi = "Ngày đăng ký", en = "Registered on" }
type = "date"
hidden = true
take = "parent.registered_on"

[tables.visits.columns.visited_on]
title = { vi = "Ngày sử dụng", en = "Day of the visit" }
type = "date"
hidden = true
assume.day = { from = "registered_on", to = "as_of()" }
because = { vi = "Giả định: đều từ ngày đăng ký.", en = "Assumed: even from registration on." }

[tables.visits.columns.visited_at]
title = { vi = "Thời điểm sử dụng", en = "Time of the visit" }
type = "timestamp"
assume.hour = { at = "visited_on", hours = [0, 0, 0, 0, 0, 1, 3, 8, 10, 10, 8, 6, 4, 6, 9, 9, 8, 6, 4, 3, 3, 2, 1, 0] }
because = { vi = "Giả định: chủ yếu trong giờ làm việc.", en = "Assumed: mostly in working hours." }

[tables.visits.columns.fee]
title = { vi = "Phí", en = "Fee" }
type = "decimal"
places = 2 # số viết ra là số nguyên của chữ số cuối: 250 là 2,50 / whole numbers of the last place
unit = "thousand VND"
assume.quantiles = [0, 500, 1500, 4000, 20000]
missing = { share = "0.02", because = { vi = "Một phần nhỏ không ghi phí.", en = "A few visits record no fee." } }
because = { vi = "Giả định để bắt đầu.", en = "An assumption to begin with." }
"""
