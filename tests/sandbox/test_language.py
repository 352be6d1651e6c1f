"""Both languages: every string is translated, and each reader meets one language alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
from babel.messages.mofile import read_mo
from click.testing import CliRunner

from sandbox import runs
from sandbox.cli import main
from sandbox.errors import ParameterError, SettingsError
from sandbox.kernels import isolation
from sandbox.language import N_, Later, _, choose, either, language, speaking, translations, use
from sandbox.retold import OTHERS, PLACE, retold
from sandbox.runs import endings, states
from sandbox.runs.folder import RunFolder
from sandbox.runs.parameters import chosen, declared
from tests.sandbox import strings
from tests.sandbox.tiny import replica

MARKS = set("ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹáàãéèíìĩóòõúùũý")
HOLES = re.compile(r"\{\w+(?:![rs])?\}|%\(\w+\)s|%%")


@pytest.fixture(autouse=True)
def english_afterwards():
    """The command sets the language of its process, which here is that of all tests."""
    yield
    use("en")


@pytest.fixture(scope="module")
def catalog():
    return strings.translated()


def forms(text):
    return list(text) if isinstance(text, list | tuple) else [text]


def test_the_catalogue_holds_exactly_the_marked_strings(catalog):
    marked = {message.id for message in strings.extracted() if message.id}
    assert {message.id for message in catalog if message.id} == marked
    assert not catalog.obsolete
    assert len(marked) > 300


def test_every_string_is_translated(catalog):
    assert [one.id for one in catalog if one.id and not strings.filled(one)] == []
    assert [one.id for one in catalog if one.fuzzy] == []


def test_translations_have_the_places_of_their_originals(catalog):
    for message in catalog:
        for translated in forms(message.string) if message.id else ():
            wanted = {frozenset(HOLES.findall(form)) for form in forms(message.id)}
            assert frozenset(HOLES.findall(translated)) in wanted, message.id
            assert translated.count("`") == forms(message.id)[-1].count("`"), message.id
            assert re.findall(r"</?\w+>", translated) == re.findall(
                r"</?\w+>", forms(message.id)[-1]
            )


def test_translations_begin_and_end_as_their_originals(catalog):
    for message in catalog:
        pairs = zip(forms(message.id), forms(message.string), strict=False) if message.id else ()
        for original, translated in pairs:
            assert translated[-1:].isspace() == original[-1:].isspace(), original
            if translated[-1:] in ".:" or original[-1:] in ".:":
                assert translated[-1] == original[-1], original


def test_what_is_committed_is_what_is_compiled(catalog):
    with strings.MO.open("rb") as file:
        compiled = {tuple(forms(one.id)): forms(one.string) for one in read_mo(file) if one.id}
    assert compiled == {tuple(forms(one.id)): forms(one.string) for one in catalog if one.id}


CHOICES = [
    ("vi", {}, "vi"),
    ("en", {"SANDBOX_LANG": "vi", "LC_ALL": "vi_VN.UTF-8"}, "en"),
    (None, {"SANDBOX_LANG": "vi", "LC_ALL": "en_US.UTF-8"}, "vi"),
    (None, {"SANDBOX_LANG": "", "LANG": "vi_VN.UTF-8"}, "vi"),
    (None, {"LC_ALL": "vi_VN.UTF-8", "LC_MESSAGES": "en_US", "LANG": "en_US"}, "vi"),
    (None, {"LC_ALL": "C", "LC_MESSAGES": "vi_VN", "LANG": "vi_VN"}, "en"),
    (None, {"LC_MESSAGES": "vi_VN.UTF-8", "LANG": "en_US.UTF-8"}, "vi"),
    (None, {"LC_MESSAGES": "en_US.UTF-8", "LANG": "vi_VN.UTF-8"}, "en"),
    (None, {"LC_ALL": "", "LANG": "vi"}, "vi"),
    (None, {"LANG": "C.UTF-8"}, "en"),
    (None, {"LANG": "fr_FR.UTF-8"}, "en"),
    (None, {}, "en"),
]


@pytest.mark.parametrize(("given", "environ", "expected"), CHOICES)
def test_what_is_given_comes_before_the_variable_before_the_locale(given, environ, expected):
    assert choose(given, environ) == expected


@pytest.mark.parametrize(("given", "environ"), [("fr", {}), (None, {"SANDBOX_LANG": "vn"})])
def test_a_language_that_we_do_not_speak_is_refused(given, environ):
    with pytest.raises(SettingsError, match="is not known; choose vi or en"):
        choose(given, environ)
    with pytest.raises(SettingsError, match="'de' is not known"):
        use("de")


def test_a_context_speaks_for_itself_alone():
    assert language() == "en"
    with speaking("vi"):
        assert _("Published tables") == "Bảng đã công bố"
        with speaking("en"):
            assert _("Published tables") == "Published tables"
        assert language() == "vi"
        context = copy_context()
    assert language() == "en"
    assert context.run(language) == "vi"


def test_a_context_ends_also_with_an_error():
    with pytest.raises(ZeroDivisionError), speaking("vi"):
        raise ZeroDivisionError
    assert language() == "en"


def test_threads_do_not_hear_one_another():
    barrier = threading.Barrier(8)

    def speak(spoken):
        with speaking(spoken):
            barrier.wait(timeout=20)  # all of them are inside at once
            return spoken, language(), _("Published tables")

    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(speak, ["vi", "en"] * 4))
    words = {"vi": "Bảng đã công bố", "en": "Published tables"}
    assert all((spoken, words[spoken]) == (told, text) for spoken, told, text in heard)
    assert language() == "en"


def test_a_marked_string_waits_for_its_reader():
    told = Later(N_("install the package util-linux"))
    with speaking("vi"):
        assert str(told) == "hãy cài gói util-linux"
    assert str(told) == "install the package util-linux"


def test_a_pair_of_texts_is_picked_from():
    pair = {"vi": "Dân cư", "en": "Population"}
    assert either(pair) == "Population"
    with speaking("vi"):
        assert either(pair) == "Dân cư"
        assert either({"vi": "", "en": "only"}) == "only"
        assert either("one text") == "one text"
        assert either(None) == ""


COMMANDS = {
    "data list": 0,
    "data show population": 0,
    "data show published.population_province_34": 0,
    "data show populatoin": 2,
    "data show population.person": 2,
    "data show published": 2,
    "data show published.nope": 2,
    "run list": 0,
    "run show x": 2,
    "run show 20261122-154500-0a1b2c": 2,
    "run cancel 20261122-154500-0a1b2c": 2,
    "run submit no_such_template": 2,
    "run submit no/such.ipynb": 2,
    "run submit pyproject.toml": 2,
    "run submit market_sizing -p age_to=x": 2,
    "run submit market_sizing -p age_too=1": 2,
    "run submit market_sizing -p class=1": 2,
    "run submit market_sizing -p foo": 2,
    "run submit market_sizing --scale x": 2,
    "run submit market_sizing --area 48": 2,
    "run submit market_sizing": 2,
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.chdir(strings.ROOT)
    replica(tmp_path, "population", version="v1")
    return tmp_path


def ask(spoken, words):
    return CliRunner().invoke(main, ["--lang", spoken, *words.split()])


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_speaks_one_language(home, words):
    english, vietnamese = ask("en", words), ask("vi", words)
    assert english.exit_code == vietnamese.exit_code == COMMANDS[words], english.output
    # Names of places and publishers are data; everything else is said by us.
    assert not MARKS & set(english.output)
    assert MARKS & set(vietnamese.output)
    assert leftovers(vietnamese.output) == []


def leftovers(text):
    """The English words of ours that are still in a text: runs of two words or more."""
    found = set()
    for message in translations("vi"):
        for fixed in HOLES.split(message):
            words = fixed.strip(" .,:;()`'")
            if " " in words and len(words) > 8 and words in text:
                found.add(words)
    return sorted(found)


def test_leftovers_are_seen():
    assert "there is no run" in leftovers("Lỗi: there is no run x; hãy xem")
    assert leftovers("Lỗi: không có lượt chạy x") == []


def test_the_real_command_obeys_the_variable_and_the_option(tmp_path):
    def told(*words, **environ):
        done = subprocess.run(
            [sys.executable, "-m", "sandbox.cli", *words, "run", "list"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "LANG": "C.UTF-8", "SANDBOX_HOME": str(tmp_path), **environ},
            cwd=strings.ROOT,
        )
        return done.stderr

    assert told().startswith("no runs yet; begin with: sandbox run submit")
    assert told(LANG="vi_VN.UTF-8").startswith("chưa có lượt chạy nào; hãy bắt đầu bằng lệnh: ")
    assert told("--lang", "en", SANDBOX_LANG="vi").startswith("no runs yet")


PARAMETERS = declared(["age: int = 25\nkind: Literal['a', 'b'] = 'a'\nnames: list[str] = []\n"])
REFUSED = [
    (
        {"age": "x"},
        "parameter 'age' is declared as int: the value must be a whole number, as in 25; "
        "'x' does not fit",
        "tham số 'age' được khai báo kiểu int: giá trị phải là số nguyên, chẳng hạn 25; "
        "'x' không phù hợp",
    ),
    (
        {"kind": "đ"},
        "parameter 'kind' is declared as Literal['a', 'b']: the value must be one of 'a', 'b', "
        "as in a; 'đ' does not fit",
        "tham số 'kind' được khai báo kiểu Literal['a', 'b']: giá trị phải là một trong các giá "
        "trị 'a', 'b', chẳng hạn a; 'đ' không phù hợp",
    ),
    (
        {"names": "[1]"},
        "parameter 'names' is declared as list[str]: the value must be a list of such values, "
        "as in ['urban']; [1] does not fit",
        "tham số 'names' được khai báo kiểu list[str]: giá trị phải là danh sách gồm các giá trị "
        "như vậy, chẳng hạn ['urban']; [1] không phù hợp",
    ),
    (
        {"ages": "1"},
        "unknown parameter 'ages'; did you mean 'age'? declared: age (int), "
        "kind (Literal['a', 'b']), names (list[str])",
        "không có tham số 'ages'; có phải ý bạn là 'age'? đã khai báo: age (int), "
        "kind (Literal['a', 'b']), names (list[str])",
    ),
]


@pytest.mark.parametrize(("given", "english", "vietnamese"), REFUSED)
def test_a_parameter_is_refused_in_both_languages(given, english, vietnamese):
    for spoken, words in (("en", english), ("vi", vietnamese)):
        with speaking(spoken), pytest.raises(ParameterError) as caught:
            chosen(PARAMETERS, given)
        assert str(caught.value) == words
        assert [caught.value.parameter] == list(given)


def recognisable():
    return [
        message
        for message in translations("vi")
        if PLACE.search(message) and len(re.findall("[A-Za-z]", PLACE.sub("", message))) > 20
    ]


@pytest.mark.parametrize("message", recognisable())
def test_a_message_that_was_put_together_in_english_is_told_in_vietnamese(message):
    names = dict.fromkeys(place[1].removesuffix("!r") for place in PLACE.finditer(message))
    values = {name: f"<{position}>" for position, name in enumerate(names)}
    english, vietnamese = message.format(**values), translations("vi")[message].format(**values)
    assert retold(english) == english
    with speaking("vi"):
        assert retold(english) == vietnamese


def test_what_others_say_is_told_with_our_numbers_and_remedies():
    assert set(OTHERS) <= set(translations("vi"))
    with speaking("vi"):
        assert retold("population: 1,295,545 rows in 3.3 s (v1)") == (
            "population: 1.295.545 dòng trong 3,3 giây (v1)"
        )
        assert retold("cannot write '/x': the disk is full; free some space and try again") == (
            "không ghi được '/x': đĩa đã đầy; hãy giải phóng bớt dung lượng rồi thử lại"
        )
        assert retold("ValueError: một lỗi") == "ValueError: một lỗi"
        assert retold("x" * 5000) == "x" * 5000


def test_every_end_of_a_run_has_a_title():
    assert set(endings.TITLES) == set(states.Kind)
    assert set(states.TITLES) == set(states.Status)
    assert set(states.CELL_TITLES) == set(states.CellState)
    reason = {"kind": "cell error", "message": "ValueError: there is no run x", "cell": 1}
    with speaking("vi"):
        assert endings.told(reason) == "ô báo lỗi: ValueError: there is no run x"
        stopped = {"kind": "cancelled", "message": "stopped by Ctrl-C", "cell": None}
        assert endings.told(stopped) == "đã dừng bằng Ctrl-C"
        assert endings.told({"kind": "new", "message": "m"}) == "new: m"


def test_a_missing_isolation_is_told_with_its_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = isolation.probe()
    assert found.message.startswith("the program bwrap is not installed; install it (Debian")
    with speaking("vi"):
        assert found.message.startswith("chưa cài chương trình bwrap; hãy cài đặt")
        assert leftovers(found.message) == []
    english = found.message
    with speaking("vi"):
        assert retold(english) == found.message


def test_a_record_does_not_depend_on_who_wanted_the_run(bubblewrap, settings, write):
    path = write("print(1)")
    with speaking("vi"):
        run_id = runs.submit(settings, path)
        folder = RunFolder.find(settings, run_id)
        folder.notebook.chmod(0o644)
        folder.notebook.write_bytes(folder.notebook.read_bytes() + b" ")
        spoken = []
        outcome = runs.execute(settings, run_id, lambda *told: spoken.append(language()))
        told = endings.told(outcome.reason.to_record())
    assert outcome.reason.message == (
        "the frozen notebook is not the one that was submitted; submit it again"
    )
    assert folder.record()["reason"]["message"] == outcome.reason.message
    assert told == ("không khởi động được: sổ tay đã lưu không phải là sổ tay lúc nộp; hãy nộp lại")


def test_cells_are_told_in_the_language_of_whoever_waits(bubblewrap, settings, write):
    path = write("1 / 0")
    spoken = []
    with speaking("vi"):
        run_id = runs.submit(settings, path)
        outcome = runs.execute(settings, run_id, lambda *told: spoken.append(language()))
        told = endings.told(outcome.reason.to_record())
    assert set(spoken) == {"vi"}
    assert told == "ô báo lỗi: ZeroDivisionError: division by zero"
