"""Which calls read a file, which write one, and what kind of place a text names."""

from __future__ import annotations

import ast
import re

from sandbox.preflight.calls import Call

ADDRESS = re.compile(r"(?:https?|ftp|s3|s3a|gs|gcs|az|abfss?|hf|sftp|ssh)://", re.IGNORECASE)
HOME = re.compile(r"~(?:/|$)|[A-Za-z]:[\\/]|\\\\\w|file://")
ROOT = re.compile(r"/[^/\s]")
# What hardly is anything but a place on somebody's machine.
LOOKS = re.compile(
    r"/(?:home|Users|root|mnt|media|Volumes|content|kaggle|workspace|srv|opt|var|work)/"
    r"|~/|[A-Za-z]:\\[\w ]|file://"
)
MACHINE = re.compile(r"/(?:etc|usr|proc|sys|dev)(?:/|$)")  # every kernel has them
SCRATCH = re.compile(r"/(?:tmp|dev/shm)(?:/|$)")
READS = re.compile(
    r"pandas\.read_\w+|polars\.(?:read|scan)_\w+|geopandas\.read_\w+|dask\.dataframe\.read_\w+"
    r"|numpy\.(?:load|loadtxt|genfromtxt|fromfile|fromregex)|scipy\.io\.\w*(?:load|read)\w*"
    r"|duckdb\.(?:read_\w+|from_\w+)|\.(?:read_csv|read_parquet|read_json|from_csv_auto|from_parquet)"
    r"|pyarrow\.\w+\.(?:read_\w+|ParquetFile|dataset|open_csv)|joblib\.load|os\.(?:listdir|scandir)"
    r"|matplotlib\.(?:pyplot|image)\.imread|PIL\.Image\.open|openpyxl\.load_workbook"
    r"|xarray\.open_\w+|shutil\.(?:copy|copy2|copyfile|copytree|move)|tomllib\.load"
    r"|glob\.i?glob"
)
OPENS = {"open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", ".open"}
OPENS |= {"zipfile.ZipFile", "tarfile.open"}
OF_A_PATH = {".read_text", ".read_bytes", ".open", ".iterdir", ".glob", ".rglob"}
WRITES = re.compile(
    r"\.(?:to_(?:csv|parquet|excel|json|pickle|feather|html|latex|markdown|stata|hdf|xml)|save\w*"
    r"|dump|export\w*|write_(?:csv|parquet|json|excel|html|image)|tofile)|numpy\.(?:save|savez|savez_compressed|savetxt)"
    r"|matplotlib\.pyplot\.savefig|os\.(?:makedirs|mkdir)|urllib\.request\.urlretrieve"
    r"|(?:duckdb|sqlite3)\.connect"
)
SECOND = re.compile(r"joblib\.dump|shutil\.(?:copy\w*|move|unpack_archive)|os\.(?:rename|replace)")
WRITES_A_PATH = {".write_text", ".write_bytes", ".mkdir", ".touch"}
PATH_NAMES = (
    "filepath_or_buffer",
    "path_or_buf",
    "path",
    "file",
    "filename",
    "fname",
    "io",
    "source",
)


def reads(call: Call) -> ast.expr | None:
    """Give the expression for the place that a call reads, if it reads one."""
    if call.name in OPENS and not _is_for_writing(call):
        return _receiver(call) if call.name == ".open" else call.argument(0, *PATH_NAMES)
    if call.name in OF_A_PATH and call.name != ".open":
        return _receiver(call)
    return call.argument(0, *PATH_NAMES) if READS.fullmatch(call.name) else None


def writes(call: Call) -> ast.expr | None:
    """Give the expression for the place that a call writes, if it writes one."""
    if call.name in OPENS and _is_for_writing(call):
        return _receiver(call) if call.name == ".open" else call.argument(0, *PATH_NAMES)
    if call.name in WRITES_A_PATH:
        return _receiver(call)
    if SECOND.fullmatch(call.name):
        return call.argument(1, "filename", "dst")
    return call.argument(0, *PATH_NAMES) if WRITES.fullmatch(call.name) else None


def is_address(text: str) -> bool:
    """Whether a text is an address on the network."""
    return ADDRESS.match(text) is not None


def is_absolute(text: str) -> bool:
    """Whether a text is a place on one machine only."""
    return bool(HOME.match(text) or ROOT.match(text))


def _is_for_writing(call: Call) -> bool:
    mode = call.argument(0 if call.name == ".open" else 1, "mode")
    is_text = isinstance(mode, ast.Constant) and isinstance(mode.value, str)
    return is_text and bool(set(str(mode.value)) & set("wax"))  # type: ignore[union-attr]


def _receiver(call: Call) -> ast.expr | None:
    return call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
