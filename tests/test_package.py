# SPDX-License-Identifier: BSD-3-Clause
"""What holds for the package as a whole: imports, layers, names and docstrings."""

import ast
import dataclasses
import functools
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate
from sklearn.base import BaseEstimator

import sktransrec

ROOT = Path(sktransrec.__file__).parent
TESTS = Path(__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MODULES = [
    "sktransrec",
    *(module.name for module in pkgutil.walk_packages(sktransrec.__path__, "sktransrec.")),
]
PUBLIC_MODULES = [name for name in MODULES if "._" not in name]

HEAVY = {
    *("tensorflow", "keras", "scikeras", "implicit", "matplotlib", "tqdm", "torch"),
    *("onnx", "onnxruntime", "sentence_transformers", "tokenizers"),
    *("dask", "distributed", "pandas", "polars", "pyarrow"),
}
# Parts of scikit-learn that the package would import for a few functions alone.
SLOW = {
    *("sklearn.cluster", "sklearn.covariance", "sklearn.decomposition", "sklearn.linear_model"),
    *("sklearn.neighbors", "sklearn.svm"),
}
KERAS = {"tensorflow", "keras", "scikeras"}
ENGINE = "_engine"
# `other` is a copy of `self` that a method fills and returns, or another of the same class.
OWN = {"self", "cls", "other", "others"}

# From the ground up: a room may import itself and those before it.
LAYERS = [
    {"_extras", "_typing"},
    {"_columns", "_histories", "_version_stamp", "persistence"},
    {"_ids"},
    {"_validation"},
    {"_numerics"},
    {"_wrapping"},
    {"_engine", "_factor_regression", "_frozen", "_recommend", "_score_parts"},
    {"content", "datasets", "interactions", "model_selection", "preprocessing"},
    {"metrics"},
    {"_auto", "base"},
    {"feature_learning", "recommenders"},
    {"_onnx_export", "evaluation", "transfer"},
    {"ensembles"},
    {"inspection"},
    {"serving"},
    {"distributed"},
    {"testing"},
]
# Of these only what they show to everybody may be imported elsewhere, but by the checks of all.
CLOSED = {"datasets", "feature_learning", "preprocessing", "recommenders", "transfer", "ensembles"}

# The constructor parameters that estimators may have. Use one of these before adding another.
PARAMETERS = {
    "size of the model": {
        *("bidirectional", "cell", "embedding_size", "hidden_layer_sizes", "kernel_sizes"),
        *("architecture", "encoder", "kernel_size", "max_length", "max_steps", "n_heads"),
        *("n_items", "n_layers"),
        *("n_item_clusters", "n_row_clusters"),
        *("n_components", "n_neighbors", "n_tokens", "pooling", "window"),
        "discriminator_layer_sizes",
    },
    "weights of interactions": {"b", "decay", "k1", "weighting"},
    "objective": {
        *("activity_exponent", "adversarial_weight", "confidence", "discount", "fit_intercept"),
        *("fit_scale", "item_exponent", "kind", "popularity_exponent", "popularity_weight"),
        *("bias_regularization", "loss", "neighbor_weight", "popularity_offset", "prior"),
        *("gamma", "kl_annealing_epochs", "kl_weight", "low_pass_weight", "noise", "normalize"),
        *("covariance_shrinkage", "output_activation", "regularization", "row_exponent"),
        *("scale_regularization", "shrinkage"),
    },
    "optimisation": {
        *("activation", "batch_size", "code_activation", "dropout", "epochs", "learning_rate"),
        *("init", "input_dropout", "max_iter"),
        *("learning_rate_schedule", "n_init", "warmup_epochs"),
        *("optimizer", "patience", "solver", "validation_fraction", "warm_start"),
    },
    "contrast": {"n_negatives", "negative_exponent"},
    "items": {
        *("cold_policy", "content_scale", "content_weight", "item_features"),
        "learns_item_features",
    },
    "transfer": {
        *("empty_rows", "item_ids", "l2_sp", "layer_decay", "min_interactions"),
        *("pretrained", "source_confidence", "source_weight", "sources"),
        *("target_dropout", "trainable", "unfreeze_every"),
    },
    "other estimators": {
        *("estimators", "fallback", "final_estimator", "recommender", "regressor", "transfer"),
        *("transformer", "weights"),
    },
    "comparison": {
        *("confidence_level", "cv", "holdout", "k", "learn_cross_listed", "max_sources"),
        *("metric", "n_buckets", "n_candidates", "segment_columns", "target_columns"),
    },
    "texts": {
        *("analyzer", "lowercase", "max_df", "max_features", "min_df", "ngram_range"),
        *("normalization", "stop_words", "strip_accents", "token_pattern"),
    },
    "event logs": {
        *("duplicates", "item", "min_item_interactions", "min_user_interactions", "time"),
        *("unknown", "user", "value"),
    },
    "running": {
        *("checkpoint_folder", "memory", "n_jobs", "random_state", "run_eagerly"),
        *("saves_encoder", "verbose"),
    },
}

# Why the defaults of a parameter differ, for those of classes and functions that differ.
REASONS = {
    "activation": "Codes of recommenders meet the vectors of items, and tanh bounds them.",
    "batch_size": "Recommenders learn from many rows of mostly zeros; an encoder that learns "
    "nothing keeps no gradients.",
    "code_activation": "Recurrent states are bounded, and so are the features after them.",
    "confidence": "ALS weighs interactions against all missing entries, logistic MF against a few "
    "drawn ones.",
    "decay": "Histories and transitions find it on held-out items; `history_steps` weighs nothing "
    "unless told; the others cannot search, and feed different models.",
    "dropout": "Most items stand in few histories.",
    "epochs": "Recommenders have more rows, and so more steps in an epoch.",
    "hidden_layer_sizes": "The tables of items are most of a recommender's weights.",
    "holdout": "A scorer ranks y, or hides what `score` hides.",
    "init": "From random vectors, a network needs many epochs, ALS only a few sweeps.",
    "item_exponent": "It weighs a penalty in EASE, degrees in the graph filter, and makes cosines "
    "in the others.",
    "kind": "A plain network copies the items that it reads.",
    "learning_rate": "Adam, plain gradient descent and AdaGrad scale their steps differently.",
    "max_iter": "A sweep in closed form needs few repeats, one of gradients or draws needs many.",
    "max_length": "A step needs the latest items, but a text is read as a whole, or as far as its "
    "network reads.",
    "memory": "A folder of an encoder's vectors, or whether `compare` measures memory.",
    "metric": "Ratings have errors, and lists have gains.",
    "min_interactions": "A hybrid blends the factors of items with fewer; a bridge and a switch "
    "have no blend for rows with fewer.",
    "n_buckets": "A stack learns weights for each; the others only compare scores in them.",
    "n_components": "As many as a catalogue needs, as a regression after them can use, as a kernel "
    "takes, or as generated data have.",
    "n_items": "A generated catalogue has a size of its own; others count what they see.",
    "n_neighbors": "A regression costs their cube, so next-item ridge takes few; the records of "
    "sparse EASE are made with 256.",
    "n_recommendations": "The reasons for each item take space to read.",
    "name": "A data set that is loaded, or a label to print.",
    "negative_exponent": "Training draws popular negatives to learn from, a metric draws evenly.",
    "normalize": "The proportions of counts matter, those of other features may not.",
    "optimizer": "Momentum lets two sides chase each other.",
    "pooling": "Padded steps and pixels need different pooling; the items of a row are a set.",
    "popularity_exponent": "Each model takes away another part of the popularity, and gives that "
    "part back.",
    "regularization": "Its unit is that of the objective; of networks, only two sides that chase "
    "each other need it.",
    "shrinkage": "Item neighbours find it on held-out rows; segments have no such search.",
}

# Modules without a test file of their own, and the one that shows what they do.
TESTED_THROUGH = {
    # Builders of networks, by what the networks learn.
    "_engine/_attention.py": "feature_learning/test_text.py",
    "_engine/_convolutional.py": "feature_learning/test_cnn.py",
    "_engine/_dense.py": "feature_learning/test_autoencoder.py",
    "_engine/_next_item.py": "recommenders/test_next_item.py",
    "_engine/_recurrent.py": "feature_learning/test_rnn.py",
    "_engine/_token_attention.py": "feature_learning/test_text.py",
    # What all networks have, by all networks.
    "_engine/_layers.py": "_engine/test_every_network.py",
    "_engine/_learner.py": "_engine/test_every_network.py",
    "_engine/_numpy_layers.py": "_engine/test_every_network.py",
    "_engine/_onnx_layers.py": "test_onnx_export.py",
    "_engine/_seeded_layers.py": "_engine/test_network.py",
    "_engine/_served_network.py": "_engine/test_every_network.py",
    "_engine/_state.py": "_engine/test_network.py",
    # What items are like, and encoders that copies share.
    "content/_shared_encoder.py": "content/test_encoder.py",
    "content/_values.py": "content/test_item_features.py",
    # What a service reads of a log.
    "interactions/_other_logs.py": "test_serving.py",
    # Names of scikit-learn, passed on.
    "_validation/_sklearn.py": "test_package.py",
    # Mixins of a single estimator, or of two that differ in little else.
    "recommenders/_history_learner.py": "recommenders/test_next_item.py",
    "recommenders/_item_table.py": "recommenders/test_next_item.py",
    "transfer/networks/_towers.py": "transfer/networks/test_two_tower.py",
    # The checks, and what they are run on.
    "testing/_checks.py": "test_common.py",
    "testing/_samples.py": "test_common.py",
}
# Tests of what holds for a whole room, or for the package and its documents.
TESTS_OF_MANY_MODULES = {
    "_engine": {"every_network"},
    "benchmarks": {"benchmarks", "record", "report", "search"},
    "feature_learning": {"fine_tuning"},
    "testing": {"recommenders_of_others"},
    "transfer": {"claims"},
    ".": {
        *("arguments", "common", "doctests", "empty_rows", "examples", "file_format", "guide"),
        *("jobs", "languages", "main_job", "malformed", "media", "migration", "new_items"),
        *("own_recommender", "package", "raw_ids", "readme", "results", "saved", "set_output"),
        *("sound", "toys", "two_threads"),
    },
}

# Of numpydoc's checks: those on the layout of sections and on parameters that agree with the code.
DOCSTRING_ERRORS = {
    *("GL03", "GL05", "GL06", "GL07", "GL08", "GL09"),
    *("SS01", "SS02", "SS03", "SS04", "SS06"),
    *("PR01", "PR02", "PR03", "PR04", "PR05", "PR06", "PR07", "PR08", "PR09"),
    *("RT01", "YD01", "SA02", "SA03", "SA04"),
}
DOCSTRING_ERRORS_OF_NAMES = DOCSTRING_ERRORS | {"EX01", "SA01"}


def _public_names():
    """Return all public classes and functions by the shortest path to each."""
    names = {}
    for module_name in PUBLIC_MODULES:
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", ()):
            names.setdefault(getattr(module, name), f"{module_name}.{name}")
    return {path: item for item, path in names.items() if inspect.isclass(item) or callable(item)}


PUBLIC_NAMES = _public_names()
ESTIMATORS = [
    pytest.param(item, id=item.__name__)
    for item in PUBLIC_NAMES.values()
    if inspect.isclass(item)
    and issubclass(item, BaseEstimator)
    and item.__module__ != "sktransrec.base"
]


def _public_methods():
    """Return the paths of the public methods and properties, fitted attributes left out."""
    return [
        f"{path}.{name}"
        for path, item in PUBLIC_NAMES.items()
        if inspect.isclass(item)
        for name, member in vars(item).items()
        if not (name.startswith("_") or name.endswith("_"))
        and (callable(member) or isinstance(member, property))
    ]


@functools.cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def _nodes(path):
    """Return all nodes of the syntax of a file."""
    return list(ast.walk(_tree(path)))


@functools.cache
def _imports(path, *, at_import_only=False):
    """Return the (module, name or None) pairs that a file of the package imports."""
    package = ["sktransrec", *path.relative_to(ROOT).parent.parts]
    imports = set()
    for node in _nodes_outside_functions(_tree(path)) if at_import_only else _nodes(path):
        if isinstance(node, ast.Import):
            imports |= {(alias.name, None) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            imports |= {(module, alias.name) for alias in node.names}
    return imports


def _nodes_outside_functions(node):
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield child
            yield from _nodes_outside_functions(child)


def _own_imports(path):
    """Return the modules of the package, below "sktransrec.", that a file imports."""
    modules = set()
    for module, name in _imports(path):
        if module == "sktransrec" and name is not None:
            modules.add(name)
        elif module.startswith("sktransrec."):
            modules.add(module.removeprefix("sktransrec."))
    return modules


def _part(path):
    """Return the part of the package that a file belongs to, such as "recommenders"."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _may_import(part, module):
    """Return whether a file of a part may import a module of the package."""
    other, _, inside = module.partition(".")
    if other in {part, "__version__"} or part == "testing":
        return True
    return _layer(other) < _layer(part) and not (inside and other in CLOSED)


def _layer(part):
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def _all_of(files, **options):
    return [(path, *found) for path in files for found in _imports(path, **options)]


def test_import_is_light_silent_and_without_side_effects():
    # scikit-learn imports pandas where it can, so what is heavy is made impossible to import.
    program = f"""
import importlib, sys, warnings
class NoHeavyPackages:
    def find_spec(name, *args):
        if name.partition(".")[0] in {HEAVY}:
            raise ModuleNotFoundError(name + " is imported")
sys.meta_path.insert(0, NoHeavyPackages)
import joblib, numpy, scipy.sparse.linalg, sklearn.decomposition, sklearn.model_selection
def state():
    return numpy.random.get_state()[1].tolist(), sklearn.get_config(), list(warnings.filters)
before = state()
for name in {MODULES}:
    importlib.import_module(name)
assert state() == before
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_modules_left_out_are_imported_when_asked_for(run_in_new_process):
    program = """
        import sys, sktransrec
        assert "sktransrec.datasets" not in sys.modules
        sktransrec.datasets.make_cross_domain, sktransrec.inspection
        sktransrec.testing.check_recommender
        assert not hasattr(sktransrec, "nothing")
    """
    assert run_in_new_process(program) == 0


def test_what_the_package_shows_are_its_public_names_and_rooms():
    rooms = {name.split(".")[1] for name in PUBLIC_MODULES if name.count(".") == 1}
    assert set(dir(sktransrec)) == {*sktransrec.__all__, *rooms, "__version__"}
    assert all(inspect.ismodule(getattr(sktransrec, room)) for room in rooms)
    shown = {}
    exec("from sktransrec import *", shown)
    assert set(shown) - {"__builtins__"} == set(sktransrec.__all__)


def test_every_file_of_code_names_the_licence():
    """A script does so below the line that names its interpreter."""
    folders = [TESTS.parent / name for name in ("benchmarks", "docs", "examples", "tests")]
    files = [*FILES, *(path for folder in folders for path in folder.rglob("*.py"))]
    files += (path for path in (TESTS.parent / ".ci").glob("*") if path.is_file())
    licence = "# SPDX-License-Identifier: BSD-3-Clause"
    lacking = [str(p) for p in files if licence not in p.read_text("utf-8").splitlines()[:2]]
    assert lacking == []


def test_heavy_packages_are_imported_inside_functions():
    at_import = _all_of(FILES, at_import_only=True)
    wrong = [
        (str(path), module)
        for path, module, _ in at_import
        if module.split(".")[0] in HEAVY or module in SLOW
    ]
    assert not wrong


def test_only_the_engine_knows_keras():
    others = [path for path in FILES if _part(path) != ENGINE]
    wrong = [
        (str(path), module) for path, module, _ in _all_of(others) if module.split(".")[0] in KERAS
    ]
    assert not wrong


def test_the_engine_is_left_to_networks():
    """A codebook, a bridge or an aligner computes with numpy, and needs no network."""
    users = {path.relative_to(ROOT).parts[:2] for path in FILES if _engine_modules(path)}
    assert {user for user in users if user[0] == "transfer"} == {("transfer", "networks")}


def _engine_modules(path):
    return {module for module in _own_imports(path) if module.partition(".")[0] == ENGINE}


def test_only_validation_knows_private_sklearn():
    def is_private(module, name):
        parts = [*module.split("."), name or ""]
        return parts[0] == "sklearn" and any(part.startswith("_") for part in parts)

    others = [path for path in FILES if path != ROOT / "_validation" / "_sklearn.py"]
    wrong = [found for found in _all_of(others) if is_private(*found[1:])]
    assert not wrong


@pytest.mark.parametrize(
    ("part", "module", "allowed"),
    [
        ("recommenders", "recommenders._als", True),
        ("recommenders", "base", True),
        ("recommenders", "_numerics._top_k", True),
        ("recommenders", "_engine._state", True),
        ("recommenders", "feature_learning", False),
        ("recommenders", "datasets._amazon", False),
        ("recommenders", "transfer", False),
        ("base", "metrics", True),
        ("base", "recommenders", False),
        ("_validation", "base", False),
        ("_engine", "feature_learning", False),
        ("transfer", "recommenders", True),
        ("transfer", "recommenders._als", False),
        ("transfer", "testing", False),
        ("testing", "recommenders._als", True),
    ],
)
def test_layers_are_those_of_the_design(part, module, allowed):
    assert _may_import(part, module) == allowed


def test_layers_are_kept():
    inner = [path for path in FILES if path != ROOT / "__init__.py"]
    assert {_part(path) for path in inner} == set().union(*LAYERS)
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in inner
        for module in _own_imports(path)
        if not _may_import(_part(path), module)
    ]
    assert not wrong


def test_no_module_imports_what_imports_it():
    """Imports inside functions count as well."""
    graph = {
        _module_name(path): {
            f"{module}.{name}" if f"{module}.{name}" in MODULES else module
            for module, name in _imports(path)
            if module.startswith("sktransrec")
        }
        for path in FILES
    }
    # What the package itself says of its version and names comes from all its modules.
    graph["sktransrec"] = set()
    TopologicalSorter(graph).prepare()


def _module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(["sktransrec", *(part for part in parts if part != "__init__")])


_BY_TEXT = {"getattr", "hasattr", "setattr", "delattr"}


def test_no_private_state_of_another_room_is_read():
    private_names = {path: _private_names(path) for path in FILES}
    all_names = set().union(*private_names.values())
    of_rooms = defaultdict(set)
    for path, names in private_names.items():
        of_rooms[_part(path)] |= names
    wrong = []
    for path in FILES:
        of_others = all_names - of_rooms[_part(path)]
        wrong += [
            f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
            for node in _nodes(path)
            for value, name in _reads(node)
            if name in of_others and _is_of_another(value)
        ]
    assert not wrong


def _reads(node):
    """Return the value and the attribute of it that a node reads or sets, by dot or by text."""
    if isinstance(node, ast.Attribute):
        return [(node.value, node.attr)]
    by_text = isinstance(node, ast.Call) and getattr(node.func, "id", None) in _BY_TEXT
    if by_text and isinstance(node.args[1], ast.Constant):
        return [(node.args[0], node.args[1].value)]
    return []


def _private_names(path):
    """Return the private methods and attributes that the classes of a file define."""
    names = set()
    for definition in (node for node in _nodes(path) if isinstance(node, ast.ClassDef)):
        for node in ast.walk(definition):
            if isinstance(node, ast.FunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return {name for name in names if _is_private(name)}


def _is_private(name):
    return name.startswith("_") and not name.startswith("__")


def _is_of_another(value):
    """Return whether it is neither the object itself, nor a fresh copy of it, nor a class."""
    if isinstance(value, ast.Call):
        return not (isinstance(value.func, ast.Name) and value.func.id == "super")
    return not (isinstance(value, ast.Name) and (value.id in OWN or value.id[0].isupper()))


def test_modules_are_named_after_what_they_hold():
    names = {path.stem.strip("_") for path in FILES} | {path.parent.name for path in FILES}
    assert not names & {"utils", "helpers", "common", "misc"}


def test_tests_stand_where_the_modules_stand():
    """Module room/_thing.py is tested by room/test_thing.py or by room/test_thing_of_a_kind.py."""
    modules = {path.relative_to(ROOT) for path in FILES if path.name != "__init__.py"}
    tests = {path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    mirrored = {module: {test for test in tests if _is_mirror(test, module)} for module in modules}
    without = {str(module) for module, found in mirrored.items() if not found}
    assert without == set(TESTED_THROUGH)
    assert {Path(test) for test in TESTED_THROUGH.values()} <= tests
    others = tests.difference(*mirrored.values())
    assert {
        str(room): {test.stem.removeprefix("test_") for test in others if test.parent == room}
        for room in {test.parent for test in others}
    } == TESTS_OF_MANY_MODULES


def _is_mirror(test, module):
    name = f"test_{module.stem.lstrip('_')}"
    return test.parent == module.parent and (test.stem == name or test.stem.startswith(f"{name}_"))


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_all_is_sorted_and_complete(name):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(module.__all__)
    ours = {
        key
        for key, value in vars(module).items()
        if getattr(value, "__module__", "").startswith("sktransrec") and not key.startswith("_")
    }
    assert ours - _imported_names(Path(module.__file__)) <= set(module.__all__)
    assert all(hasattr(module, key) for key in module.__all__)


def test_the_page_of_the_api_lists_every_public_name_once():
    page = (Path(__file__).parents[1] / "docs" / "api.rst").read_text("utf-8")
    listed = [f"sktransrec.{name}" for name in re.findall(r"^   ([\w.]+)$", page, re.MULTILINE)]
    assert sorted(listed) == sorted(PUBLIC_NAMES)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_page_of_the_design_says_why_it_stays(estimator):
    page = (Path(__file__).parents[1] / "docs" / "design.rst").read_text("utf-8")
    table = page.partition("Why these estimators\n")[2].partition("What did not pay\n")[0]
    rows = re.findall(r"^   \* - (``.*)$", table, re.MULTILINE)
    assert sum(f"``{estimator.__name__}``" in row for row in rows) == 1


def _imported_names(path):
    """Return what a plain module imports from elsewhere; a package's imports are its names."""
    if path.name == "__init__.py":
        return set()
    return {name for _, name in _imports(path)}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimators_stand_at_the_top(estimator):
    assert estimator.__name__ in sktransrec.__all__


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_parameters_are_called_alike_everywhere(estimator):
    agreed = set().union(*PARAMETERS.values())
    new = set(inspect.signature(estimator).parameters) - agreed
    assert not new, f"{sorted(new)}: is there no agreed name for this? Else agree on one above."


def test_the_same_parameter_has_the_same_default():
    """In all public classes and functions; what has no default is not compared."""
    defaults = defaultdict(lambda: defaultdict(list))
    for path, item in PUBLIC_NAMES.items():
        for name, parameter in inspect.signature(item).parameters.items():
            if parameter.default is not inspect.Parameter.empty:
                defaults[name][repr(parameter.default)].append(path)
    differ = {name: dict(found) for name, found in defaults.items() if len(found) > 1}
    unexplained = {name: found for name, found in differ.items() if name not in REASONS}
    assert not unexplained, "give it one default, or the reason in REASONS"
    assert not REASONS.keys() - differ.keys(), "these have one default"


@pytest.mark.parametrize("path", sorted(PUBLIC_NAMES))
def test_docstring(path):
    codes = DOCSTRING_ERRORS_OF_NAMES
    if path.startswith("sktransrec.base."):
        codes = DOCSTRING_ERRORS
    elif _is_record(PUBLIC_NAMES[path]) and not hasattr(PUBLIC_NAMES[path], "split"):
        codes = DOCSTRING_ERRORS - {"PR01"}
        assert NumpyDocString(inspect.getdoc(PUBLIC_NAMES[path]))["Attributes"]
    _check_docstring(path, codes)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_docstring_says_when_to_use_it(estimator):
    """Before the parameters, and so before any formula."""
    assert "Use it" in inspect.getdoc(estimator).partition("Parameters\n---")[0]


@pytest.mark.parametrize("path", sorted(PUBLIC_NAMES))
def test_references_are_cited_and_in_one_style(path):
    """As 'A. Author and B. Other, "Title", Venue 2020'; data sets are cited by who uses them."""
    text = inspect.getdoc(PUBLIC_NAMES[path])
    references = dict(re.findall(r"^ *\.\. (\[\d\]) (.*)", text, re.MULTILINE))
    other_style = [of for of in references.values() if not re.match(r"[A-Z]\.", of)]
    assert not other_style
    assert path.startswith("sktransrec.datasets.") or all(f"{n}_" in text for n in references)


def _is_record(item):
    """Return whether the item is what a function returns, whose attributes are documented."""
    return dataclasses.is_dataclass(item) or (inspect.isclass(item) and issubclass(item, tuple))


@pytest.mark.parametrize("path", sorted(_public_methods()))
def test_docstring_of_method(path):
    _check_docstring(path, DOCSTRING_ERRORS)


def _check_docstring(path, codes):
    errors = [f"{code}: {text}" for code, text in validate(path)["errors"] if code in codes]
    assert not errors, "\n".join([path, *errors])
