# SPDX-License-Identifier: BSD-3-Clause
"""One walker for all wrappers: what a model learns from, reads and holds."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, FunctionTransformer, MaxAbsScaler

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    BridgeRecommender,
    DiscountedRecommender,
    EASERecommender,
    HybridRecommender,
    ItemFeatures,
    ItemKNNRecommender,
    PopularityRecommender,
    ReconstructionRecommender,
    RidgeRecommender,
    StackingRecommender,
    SwitchingRecommender,
    TransferGate,
    VotingRecommender,
    ranking_scorer,
    transfer_gain,
)
from sktransrec._wrapping import (
    fitted_learner,
    has_steps_before,
    innermost,
    is_supervised,
    last_step,
    recommender_and_rows,
    recommender_of,
    with_chosen_values,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.metrics import held_out_auc

X = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1]] * 3, dtype=np.float32)


def _autoencoder():
    return Autoencoder(2, hidden_layer_sizes=(), epochs=1, run_eagerly=True, random_state=0)


@pytest.mark.parametrize("fitted", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        make_pipeline,
        lambda model: make_pipeline(MaxAbsScaler(), "passthrough", make_pipeline(model)),
        lambda model: GridSearchCV(model, {}, cv=2),
        lambda model: GridSearchCV(make_pipeline(GridSearchCV(model, {}, cv=2)), {}, cv=2),
    ],
)
def test_what_is_wrapped_is_found_fitted_or_not(wrap, fitted):
    model = wrap(RidgeRecommender())
    model = FrozenEstimator(model.fit(X, X)) if fitted else model
    assert isinstance(innermost(model), RidgeRecommender)
    assert is_supervised(model)
    if fitted:
        assert recommender_of(model).n_items_ == 4


def test_rows_pass_through_what_stands_before_the_recommender():
    twice = FunctionTransformer(lambda X: 2 * X)
    model = make_pipeline(twice, make_pipeline(twice, EASERecommender())).fit(X)
    recommender, rows = recommender_and_rows(model, X)
    assert isinstance(recommender, EASERecommender)
    np.testing.assert_array_equal(rows, 4 * X)


def test_a_pipeline_may_end_in_steps_that_do_nothing():
    twice = FunctionTransformer(lambda X: 2 * X)
    model = make_pipeline(twice, EASERecommender(), "passthrough")
    model.steps[1][1].fit(2 * X)
    recommender, rows = recommender_and_rows(model, X)
    assert isinstance(recommender, EASERecommender)
    np.testing.assert_array_equal(rows, 2 * X)
    assert has_steps_before(model)


def test_the_last_step_is_named_by_its_path():
    model = make_pipeline(MaxAbsScaler(), make_pipeline(MaxAbsScaler(), Ridge()))
    last, names = last_step(model)
    assert isinstance(last, Ridge)
    assert names == ["pipeline", "ridge"]


def _reconstruction():
    return ReconstructionRecommender(_autoencoder())


@pytest.mark.parametrize(
    "model",
    [
        _reconstruction(),
        GridSearchCV(_reconstruction(), {}, cv=2),
        VotingRecommender([("net", _reconstruction()), ("popular", PopularityRecommender())]),
        DiscountedRecommender(_reconstruction()),
        SwitchingRecommender(_reconstruction()),
        TransferGate(_reconstruction(), PopularityRecommender(), cv=2, n_buckets=1, random_state=0),
        make_pipeline(MaxAbsScaler(), VotingRecommender([("net", _reconstruction())])),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_learner_is_found_inside_whatever_holds_it(model):
    """It may be what `pretrained` starts from, in an ensemble as in a pipeline."""
    held = FrozenEstimator(model.fit(X))
    learner = fitted_learner(held, Autoencoder)
    assert hasattr(learner, "n_iter_")
    tuned = _autoencoder().set_params(pretrained=held).fit(X)
    assert all(layer.copied for layer in tuned.transferred_layers_)


def test_two_learners_or_none_are_an_error():
    vote = VotingRecommender([("a", _reconstruction()), ("b", _reconstruction())]).fit(X)
    with pytest.raises(ValueError, match="holds 2 fitted Autoencoders: pass the one"):
        fitted_learner(FrozenEstimator(vote), Autoencoder)
    with pytest.raises(ValueError, match="around a fitted Autoencoder"):
        fitted_learner(FrozenEstimator(EASERecommender().fit(X)), Autoencoder)


@pytest.mark.parametrize("model", [HybridRecommender(), BridgeRecommender(ALSRecommender())])
def test_what_cannot_be_served_is_an_error(model):
    with pytest.raises(TypeError, match="cannot recommend: pass a recommender"):
        recommender_of(make_pipeline(Ridge()).fit(X, X))
    assert innermost(model) is model


def test_the_order_of_columns_matters_to_what_recommends_them():
    rng = np.random.RandomState(0)
    X = (rng.uniform(size=(40, 10)) < 0.4) * 1.0
    known, y = X * (rng.uniform(size=X.shape) < 0.7), X
    y = y * (known == 0)
    moved = make_column_transformer((MaxAbsScaler(), slice(5, 10)), remainder="passthrough")
    in_domain = make_pipeline(moved, EASERecommender()).fit(known)
    for judge in (ranking_scorer(), held_out_auc):
        with pytest.raises(ValueError, match="put the columns of X in another order"):
            judge(in_domain, known, y)
    with pytest.raises(ValueError, match="put the columns of X in another order"):
        VotingRecommender([("moved", in_domain), ("EASE", EASERecommender())]).fit(known)
    supervised = make_pipeline(moved, RidgeRecommender()).fit(known, y)
    assert ranking_scorer()(supervised, known, y) >= 0
    gain = transfer_gain(make_pipeline(moved, RidgeRecommender()), None, known, y, cv=2)
    assert gain.overall.n_rows > 0


def test_what_a_fit_has_chosen_can_be_fixed():
    X = make_cross_domain(400, 120, random_state=0).X_source
    members = [
        ("knn", ItemKNNRecommender()),
        ("dropped", "drop"),
        ("factors", make_pipeline(Binarizer(), ALSRecommender(8, random_state=0))),
        ("content", FrozenEstimator(EASERecommender().fit(X))),
    ]
    model = DiscountedRecommender(VotingRecommender(members))
    fitted = clone(model).fit(X)
    fixed = with_chosen_values(model, fitted)
    parameters, found = fixed.get_params(), fitted.recommender_.named_estimators_
    for name in ("weighting", "shrinkage", "popularity_exponent"):
        assert parameters[f"recommender__knn__{name}"] == getattr(found.knn, f"{name}_")
    regularization = parameters["recommender__factors__alsrecommender__regularization"]
    assert regularization == found.factors[-1].regularization_
    assert members[-1][1].estimator.regularization == "auto"
    assert model.get_params()["recommender__knn__shrinkage"] == "auto"
    assert_array_equal(fixed.fit(X).decision_function(X), fitted.decision_function(X))


def test_choices_that_differ_by_item_stay_open():
    domains = make_cross_domain(400, 120, random_state=0)
    fitted = RidgeRecommender().fit(domains.X_source, domains.Y_target)
    assert np.ndim(fitted.regularization_) == 1
    fixed = with_chosen_values(RidgeRecommender(), fitted)
    assert (fixed.regularization, fixed.solver) == ("auto", fitted.solver_)


def test_a_part_that_was_fitted_in_another_form_is_left_as_it_is():
    texts = ["red wine", "white wine", "red rose", "white rose"]
    reader = make_pipeline(TfidfVectorizer(), Ridge())
    model = HybridRecommender(ALSRecommender(2), reader, item_features=ItemFeatures(texts))
    fitted = clone(model).fit(X)
    fixed = with_chosen_values(TransferGate(model, EASERecommender()), fitted)
    assert fixed.transfer.neighbor_weight == "auto"
    fixed = with_chosen_values(model, fitted)
    assert fixed.neighbor_weight == fitted.neighbor_weight_
    assert fixed.regressor.get_params()["ridge__alpha"] == 1.0


@pytest.mark.parametrize(
    "wrap", [lambda model: model, lambda model: make_pipeline(Binarizer(), model)]
)
def test_a_search_is_replaced_by_the_model_that_it_has_found(wrap):
    model = wrap(GridSearchCV(ItemKNNRecommender(), {"weighting": ["bm25", "cosine"]}, cv=2))
    fitted = clone(model).fit(X)
    fixed, found = with_chosen_values(model, fitted), recommender_of(fitted)
    assert type(innermost(fixed)) is ItemKNNRecommender
    assert innermost(fixed).get_params() == found.get_params() | {
        name: getattr(found, f"{name}_") for name in ("shrinkage", "popularity_exponent")
    }
    assert "GridSearchCV" in repr(model)


def test_a_default_that_chooses_values_is_replaced_by_the_model_in_use():
    hybrid = HybridRecommender(item_features=ItemFeatures(np.eye(4)), random_state=3)
    fitted = clone(hybrid).fit(X)
    fixed = with_chosen_values(hybrid, fitted)
    assert fixed.recommender.regularization == fitted.recommender_.regularization_
    assert fixed.recommender.random_state == 3
    assert hybrid.recommender is None
    bridge = BridgeRecommender(ALSRecommender(2, random_state=0))
    fitted = clone(bridge).fit(X, X)
    fixed = with_chosen_values(bridge, fitted)
    assert fixed.regressor.alpha == fitted.regressor_.alpha
    assert fixed.recommender.regularization == fitted.recommender_.regularization_


@pytest.mark.parametrize(
    "model",
    [
        StackingRecommender([("ease", EASERecommender()), ("popular", PopularityRecommender())]),
        HybridRecommender(ALSRecommender(2), item_features=ItemFeatures(np.eye(4))),
    ],
    ids=["stack", "hybrid"],
)
def test_a_choice_that_sets_more_than_its_value_stays_open(model):
    (name,) = model.chosen_with_others
    assert with_chosen_values(model, clone(model).fit(X)).get_params()[name] == "auto"
