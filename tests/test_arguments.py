# SPDX-License-Identifier: BSD-3-Clause
"""What no argument may be is refused by one clear error, whatever the estimator."""

import inspect
from importlib import import_module
from numbers import Integral, Real
from pkgutil import walk_packages

import numpy as np
import pandas as pd
import pytest
from _instances import ESTIMATORS
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

import sktransrec
from sktransrec import (
    ALSRecommender,
    BridgeRecommender,
    ContentKNNRecommender,
    DiscountedRecommender,
    EASERecommender,
    HistoryRecommender,
    HybridRecommender,
    InteractionEncoder,
    ItemFeatures,
    ItemKNNRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    SourceSelectorRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TextSequences,
    TransferGate,
    VotingRecommender,
    align_domains,
    compare,
    debiased_scorer,
    ranking_scorer,
    transfer_gain,
    transfer_learning_curve,
)
from sktransrec._validation import Interval, positive_integers
from sktransrec.inspection import TransferGainDisplay

EACH_KIND = {type(each): each for each in [*ESTIMATORS, InteractionEncoder(), TextSequences()]}
X = (np.random.RandomState(0).uniform(size=(40, 8)) < 0.4) * 1.0


def _with_numbers(kind):
    """Return the (estimator, name, interval) of each parameter that is a number of this kind."""
    return [
        (estimator, name, constraint)
        for estimator in EACH_KIND.values()
        for name, constraints in estimator._parameter_constraints.items()
        for constraint in constraints
        if isinstance(constraint, Interval) and constraint.type is kind
    ]


def _ids(pairs):
    return [f"{type(estimator).__name__}-{name}" for estimator, name, _ in pairs]


def test_all_estimators_are_here():
    public = {getattr(sktransrec, name) for name in sktransrec.__all__}
    kinds = {each for each in public if hasattr(each, "get_params")}
    assert kinds == set(EACH_KIND)
    bare = [
        (estimator, name)
        for estimator in EACH_KIND.values()
        for name, constraints in estimator._parameter_constraints.items()
        if {Integral, Real, int, float} & {each for each in constraints if isinstance(each, type)}
    ]
    assert not bare, "numbers are bounded by an Interval, which refuses booleans"


INTEGERS = _with_numbers(Integral)


@pytest.mark.parametrize(("estimator", "name", "constraint"), INTEGERS, ids=_ids(INTEGERS))
def test_integers_are_neither_booleans_nor_huge(estimator, name, constraint):
    values = estimator._parameter_constraints[name]
    booleans = [] if {"boolean", "verbose"} & {v for v in values if isinstance(v, str)} else [True]
    for value in [*booleans, 10**12]:
        changed = clone(estimator).set_params(**{name: value})
        with pytest.raises(ValueError, match=f"The '{name}' parameter of "):
            changed._validate_params()


NUMBERS = _with_numbers(Real)


@pytest.mark.parametrize(("estimator", "name", "constraint"), NUMBERS, ids=_ids(NUMBERS))
def test_numbers_are_no_booleans_and_not_too_small_for_float32(estimator, name, constraint):
    is_positive = constraint.right is None and constraint.left not in (None, 0)
    for value in [True, *[1e-300] * is_positive]:
        changed = clone(estimator).set_params(**{name: value})
        with pytest.raises(ValueError, match=f"The '{name}' parameter of "):
            changed._validate_params()


def _checked_functions():
    """Return all functions of the package whose parameters are checked by constraints."""
    found = set()
    for module in walk_packages(sktransrec.__path__, "sktransrec."):
        members = vars(import_module(module.name)).values()
        found |= {each for each in members if inspect.isfunction(each)}
    return sorted(
        (each for each in found if hasattr(each, "_skl_parameter_constraints")),
        key=lambda function: function.__name__,
    )


def test_constraints_are_those_of_parameters():
    checked = _checked_functions()
    assert {transfer_gain, compare, ranking_scorer} <= set(checked)
    unknown = {
        function.__name__: set(function._skl_parameter_constraints)
        - set(inspect.signature(function).parameters)
        for function in checked
    }
    assert not any(unknown.values()), unknown


@pytest.mark.parametrize("name", ["transfer", "baseline"])
def test_what_is_compared_are_estimators(name):
    models = {"transfer": RidgeRecommender(), "baseline": None, name: "popularity"}
    with pytest.raises(ValueError, match=f"The '{name}' parameter of transfer_gain"):
        transfer_gain(models["transfer"], models["baseline"], X, X)


def test_sizes_of_layers_are_no_booleans():
    assert positive_integers([3, np.int64(4)], name="sizes") == (3, 4)
    for bad in ([True], [10**12], [0], [2.0]):
        with pytest.raises(ValueError, match="sizes must hold integers from 1 on"):
            positive_integers(bad, name="sizes")


def test_more_neighbours_than_items_are_all_of_them():
    many, all_items = (ItemKNNRecommender(n).fit(X).decision_function(X) for n in (10**9, 8))
    np.testing.assert_array_equal(many, all_items)


@pytest.mark.parametrize(
    "model", [EASERecommender().fit(X), ALSRecommender(2, random_state=0).fit(X)]
)
def test_exclude_seen_is_a_boolean_of_python_or_numpy(model):
    expected, _ = model.recommend(X, n_recommendations=3, exclude_seen=True)
    items, _ = model.recommend(X, n_recommendations=3, exclude_seen=np.True_)
    np.testing.assert_array_equal(items, expected)
    everything, _ = model.recommend(X, n_recommendations=8, exclude_seen=np.False_)
    assert (everything >= 0).all()
    for bad in (1, 0, None, "True", np.array([True, False])):
        with pytest.raises(ValueError, match="exclude_seen must be True, False or"):
            model.recommend(X, n_recommendations=3, exclude_seen=bad)
    for scorer in (ranking_scorer, debiased_scorer):
        assert scorer(exclude_seen=np.True_)(model, X) == scorer(exclude_seen=True)(model, X)
        with pytest.raises(ValueError, match="'exclude_seen' parameter"):
            scorer(exclude_seen=1)


def test_exclude_seen_means_nothing_to_what_learns_a_map():
    model = RidgeRecommender().fit(X, X[:, :5])
    for exclude_seen in (True, np.True_):
        with pytest.raises(ValueError, match="Pass what the rows already have"):
            model.recommend(X, n_recommendations=3, exclude_seen=exclude_seen)


@pytest.mark.parametrize(
    "items", ["Toy Story", ["Toy Story"], [0.5], [True] * 8, [], [[1]], [-1], [8]]
)
def test_similar_items_names_its_argument(items):
    with pytest.raises(ValueError, match=r"^items must "):
        EASERecommender().fit(X).similar_items(items)


@pytest.mark.parametrize(
    "call",
    [
        TransferGate(RidgeRecommender(), cv=[]).fit,
        TransferGate(EASERecommender(), cv=[]).fit,
        SourceSelectorRecommender(RidgeRecommender(), cv=[]).fit,
        lambda X, y: transfer_gain(RidgeRecommender(), None, X, y, cv=[]),
        lambda X, y: transfer_learning_curve({"ridge": RidgeRecommender()}, X, y, cv=[]),
    ],
    ids=["gate", "in-domain gate", "selector", "gain", "curve"],
)
def test_no_folds_are_an_error(call):
    with pytest.raises(ValueError, match=r"cv=\[\] has no folds"):
        call(X, X[:, :5])


def _align(source_encoder):
    log = pd.DataFrame({"user": [0, 0, 1, 1], "item": [0, 1, 0, 1]})
    return align_domains(log, log, on="users", source_encoder=source_encoder)


CONTENT = ItemFeatures(list("abcdefgh"))
BAD, BAD_MAP = ALSRecommender(2, max_iter=-5), RidgeRecommender(regularization=-1.0)


@pytest.mark.parametrize(
    "fit",
    [
        HybridRecommender(BAD, item_features=ItemFeatures(np.eye(8))).fit,
        ReconstructionRecommender(TruncatedSVD(2, n_iter=-2)).fit,
        ContentKNNRecommender(CONTENT, transformer=TfidfVectorizer(norm="no norm")).fit,
        VotingRecommender([("als", BAD)]).fit,
        StackingRecommender([("als", BAD)]).fit,
        DiscountedRecommender(BAD).fit,
        SwitchingRecommender(BAD, min_interactions=1).fit,
        TransferGate(BAD).fit,
        SourceSelectorRecommender(BAD_MAP).fit,
        BridgeRecommender(BAD).fit,
        make_pipeline(MaxAbsScaler(), BAD).fit,
        lambda X, y: HistoryRecommender(BAD).fit(np.tile([1, 2, 3], (9, 1))),
        lambda X, y: transfer_gain(BAD_MAP, None, X, y),
        lambda X, y: transfer_learning_curve({"ridge": BAD_MAP}, X, y, train_sizes=[10]),
        lambda X, y: TransferGainDisplay.from_estimators(BAD_MAP, None, X, y),
        lambda X, y: _align(InteractionEncoder(duplicates="no rule")),
    ],
)
def test_estimators_that_others_fit_check_their_parameters(fit):
    with pytest.raises(ValueError, match=r"The '(max_iter|regularization|n_iter|norm|duplicates)'"):
        fit(X, X[:, :5])


def test_a_comparison_goes_on_and_says_which_parameter_was_refused():
    assert "The 'max_iter' parameter of ALS" in compare({"als": BAD}, X).errors["als"]


def test_more_folds_than_rows_are_an_error():
    with pytest.raises(ValueError, match="cv=4 does not split the 3 rows of X"):
        TransferGate(RidgeRecommender(), cv=4).fit(X[:3], X[:3, :5])


@pytest.mark.parametrize("pattern", ["(", "[", "*a", r"(?P<w"])
def test_patterns_are_regular_expressions(pattern):
    with pytest.raises(ValueError, match=r"token_pattern=.* is not a regular expression: "):
        TextSequences(token_pattern=pattern).fit(["one", "two"])


@pytest.mark.parametrize("kind", [str, "category"])
def test_sources_are_numbers(kind):
    table = pd.DataFrame(X, columns=[f"item {column}" for column in range(8)])
    table["country"] = pd.Series(["DE", "FR"] * 20).astype(kind)
    with pytest.raises(ValueError, match="compares its sources by numbers: encode them"):
        SourceSelectorRecommender(RidgeRecommender()).fit(table, X[:, :5])
