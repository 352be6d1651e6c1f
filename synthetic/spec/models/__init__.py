"""What a person may write in a dataset's spec: strict models that refuse whatever they do not know.

The models say what each key means and check what one key can tell alone. `synthetic.spec.check`
looks at what several keys, or several specs, must tell together.
"""

from synthetic.spec.models.assume import Assume, Missing
from synthetic.spec.models.base import Bilingual
from synthetic.spec.models.columns import CodesFrom, ColumnSpec, Identifying
from synthetic.spec.models.dataset import RESERVED, Spec
from synthetic.spec.models.days import Day, Hour, Tet
from synthetic.spec.models.keys import ANY, by_code, key_of
from synthetic.spec.models.links import Link
from synthetic.spec.models.margins import Complete, MarginSpec, Rake, Rescale, Weigh, Wide
from synthetic.spec.models.pools import PoolSpec
from synthetic.spec.models.questions import QuestionSpec
from synthetic.spec.models.rows import CellRows, ChildRows, Count, MatchingRows, Rows, UnitRows
from synthetic.spec.models.tables import CompareSpec, ModelSpec, RuleSpec, TableSpec
from synthetic.spec.models.texts import SLOT, Grammar

__all__ = [
    "ANY",
    "RESERVED",
    "SLOT",
    "Assume",
    "Bilingual",
    "CellRows",
    "ChildRows",
    "CodesFrom",
    "ColumnSpec",
    "CompareSpec",
    "Complete",
    "Count",
    "Day",
    "Grammar",
    "Hour",
    "Identifying",
    "Link",
    "MarginSpec",
    "MatchingRows",
    "Missing",
    "ModelSpec",
    "PoolSpec",
    "QuestionSpec",
    "Rake",
    "Rescale",
    "Rows",
    "RuleSpec",
    "Spec",
    "TableSpec",
    "Tet",
    "UnitRows",
    "Weigh",
    "Wide",
    "by_code",
    "key_of",
]
