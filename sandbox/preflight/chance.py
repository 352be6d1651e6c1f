"""Chance without a seed: a second run would give other figures."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sandbox.language import N_, Later
from sandbox.preflight.calls import Call, Code
from sandbox.preflight.finding import Finding, warning

CODE = "no_seed"
GLOBAL = re.compile(
    r"numpy\.random\.(?:rand|randn|randint|random|random_sample|ranf|sample|choice|shuffle"
    r"|permutation|normal|uniform|poisson|binomial|exponential|beta|gamma|lognormal|multinomial"
    r"|standard_normal|triangular|bytes|geometric|multivariate_normal|dirichlet|logistic|laplace)"
)
FRESH = re.compile(r"numpy\.random\.(?:default_rng|RandomState|SeedSequence|PCG64|MT19937|Philox)")
PLAIN = re.compile(
    r"random\.(?:random|randint|randrange|choice|choices|sample|shuffle|uniform|gauss|normalvariate"
    r"|betavariate|expovariate|triangular|getrandbits|lognormvariate)"
)
# Of scikit-learn: what draws unless `random_state` is given, then what draws only if told to.
DRAWS = re.compile(
    r"sklearn\.(?:model_selection\.(?:train_test_split|\w*ShuffleSplit|RandomizedSearchCV"
    r"|HalvingRandomSearchCV|learning_curve)"
    r"|ensemble\.(?:RandomForest|ExtraTrees|Bagging|GradientBoosting|HistGradientBoosting|AdaBoost)\w*"
    r"|ensemble\.IsolationForest|ensemble\.RandomTreesEmbedding|tree\.\w+(?:Classifier|Regressor)"
    r"|neural_network\.\w+|cluster\.(?:\w*KMeans|SpectralClustering)|mixture\.\w+"
    r"|linear_model\.(?:SGD\w+|Perceptron|PassiveAggressive\w+|RANSACRegressor)"
    r"|decomposition\.(?:TruncatedSVD|FastICA|LatentDirichletAllocation|MiniBatch\w+|DictionaryLearning)"
    r"|manifold\.(?:TSNE|MDS)|inspection\.permutation_importance|random_projection\.\w+"
    r"|utils\.(?:shuffle|resample)|datasets\.make_\w+|impute\.IterativeImputer"
    r"|kernel_approximation\.\w+|dummy\.DummyClassifier)"
)
SHUFFLES = re.compile(r"sklearn\.model_selection\.(?:\w*KFold)")
SEEDS = ("random_state", "seed", "rng")
WHY = N_("drawn by chance without a seed ({name}): a second run gives other figures")
NUMPY = N_("make a generator with a seed, rng = np.random.default_rng(seed), and draw with rng")
STATE = N_("give it random_state=seed, with seed among the parameters")
RANDOM = N_("call random.seed(seed) above, or draw with random.Random(seed)")


def check(code: Code) -> Iterator[Finding]:
    """Find draws that no seed governs."""
    seeded = set()
    for call in code.calls:
        if call.name in {"numpy.random.seed", "random.seed"} and call.node.args:
            seeded.add(call.name.rpartition(".")[0])
            continue
        remedy = _remedy(call, seeded)
        if remedy:
            name = call.name.lstrip(".").rpartition(".")[2]
            yield warning(CODE, Later(WHY, {"name": name}), Later(remedy), *call.place)


def _remedy(call: Call, seeded: set[str]) -> str | None:
    """Say what would govern a draw; None if something does, or nothing is drawn."""
    if FRESH.fullmatch(call.name):
        return None if _is_given(call.argument(0, "seed", "entropy")) else NUMPY
    if call.name == "random.Random":
        return None if _is_given(call.argument(0)) else RANDOM
    if PLAIN.fullmatch(call.name):
        return None if "random" in seeded else RANDOM
    if "numpy.random" in seeded or call.has(*SEEDS):
        return STATE if _is_none(call) and "numpy.random" not in seeded else None
    if GLOBAL.fullmatch(call.name):
        return NUMPY
    return STATE if DRAWS.fullmatch(call.name) or _shuffles(call) or _is_sample(call) else None


def _is_given(value: ast.expr | None) -> bool:
    return value is not None and not (isinstance(value, ast.Constant) and value.value is None)


def _is_none(call: Call) -> bool:
    """Whether the seed is given as None, which is none."""
    given = [one.value for one in call.node.keywords if one.arg in SEEDS]
    is_of_sklearn = bool(DRAWS.fullmatch(call.name)) or _is_sample(call)
    return bool(given) and is_of_sklearn and not _is_given(given[0])


def _shuffles(call: Call) -> bool:
    asked = next((one.value for one in call.node.keywords if one.arg == "shuffle"), None)
    is_asked = isinstance(asked, ast.Constant) and asked.value is True
    return is_asked and bool(SHUFFLES.fullmatch(call.name))


def _is_sample(call: Call) -> bool:
    """Whether rows of a frame are drawn, as `frame.sample(100)` does."""
    if call.name != ".sample":
        return False
    plain = [isinstance(one, ast.Constant | ast.Name) for one in call.node.args]
    return call.has("n", "frac", "fraction") or plain in ([], [True])
