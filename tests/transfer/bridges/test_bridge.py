# SPDX-License-Identifier: BSD-3-Clause
import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils import get_tags

from sktransrec import (
    ALSRecommender,
    BridgeRecommender,
    HybridRecommender,
    PopularityRecommender,
    ProcrustesRegressor,
    recommend,
)


def target_model():
    return ALSRecommender(n_components=4, max_iter=5, random_state=0)


def two_domains(n_rows=60, n_source=16, n_target=12, seed=0):
    """Return interactions in which even rows prefer the even items of either domain."""
    rng = np.random.RandomState(seed)

    def interactions(n_items):
        same_parity = np.arange(n_rows)[:, None] % 2 == np.arange(n_items) % 2
        return sp.csr_array(
            (rng.uniform(size=(n_rows, n_items)) < 0.6 * same_parity).astype(np.float32)
        )

    return interactions(n_source), interactions(n_target)


def test_scores_are_the_predicted_factors_times_those_of_the_items():
    X, y = two_domains()
    model = BridgeRecommender(target_model(), Ridge(0.5), min_interactions=3).fit(X, y)
    target = target_model().fit(y)
    enough = np.diff(y.indptr) >= 3
    assert 0 < enough.sum() < len(enough)
    mapping = Ridge(0.5).fit(X[enough], target.transform(y[enough]))
    np.testing.assert_allclose(model.transform(X), mapping.predict(X), atol=1e-5)
    np.testing.assert_allclose(
        model.decision_function(X[1:]), mapping.predict(X[1:]) @ target.item_factors_.T, atol=1e-5
    )
    np.testing.assert_array_equal(model.similar_items([1])[0], target.similar_items([1])[0])


@pytest.mark.parametrize(
    "regressor",
    [
        None,
        LinearRegression(),
        KNeighborsRegressor(3),
        RandomForestRegressor(10, random_state=0),
        MLPRegressor(
            hidden_layer_sizes=(8,), max_iter=400, random_state=0, tol=0.01, learning_rate_init=0.05
        ),
        make_pipeline(MaxAbsScaler(), Ridge()),
    ],
)
def test_any_regressor_finds_the_preferred_half(regressor):
    X, y = two_domains()
    model = BridgeRecommender(target_model(), regressor).fit(X[:50], y[:50])
    items, _ = model.recommend(X[50:], n_recommendations=3)
    assert (items % 2 == np.arange(50, 60)[:, None] % 2).all()


def test_rows_weigh_as_much_as_their_activity_says():
    X, y = two_domains()
    activity = np.diff(y.indptr)
    target = target_model().fit(y)
    for exponent in (0.5, 2):
        model = BridgeRecommender(target_model(), Ridge(0.5), activity_exponent=exponent).fit(X, y)
        weights = activity.astype(float) ** exponent
        mapping = Ridge(0.5).fit(
            X[activity > 0],
            target.transform(y[activity > 0]),
            sample_weight=(weights / weights[activity > 0].mean())[activity > 0],
        )
        np.testing.assert_allclose(model.transform(X), mapping.predict(X), atol=1e-5)


def test_weights_are_refused_where_the_regressor_takes_none():
    X, y = two_domains()
    model = BridgeRecommender(target_model(), KNeighborsRegressor(3), activity_exponent=1)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        model.fit(X, y)


def test_a_rotation_bridges_factors_of_any_width():
    X, y = two_domains()
    for n_components in (2, 4, 6):
        source = target_model().set_params(n_components=n_components)
        bridge = BridgeRecommender(target_model(), ProcrustesRegressor(), activity_exponent=0.5)
        model = make_pipeline(source, bridge).fit(X[:50], y[:50])
        items, _ = recommend(model, X[50:], n_recommendations=3)
        assert (items % 2 == np.arange(50, 60)[:, None] % 2).all()


def test_embedding_and_mapping_pipeline():
    X, y = two_domains()
    pipeline = make_pipeline(target_model(), BridgeRecommender(target_model(), Ridge()))
    items, _ = recommend(pipeline.fit(X[:50], y[:50]), X[50:], n_recommendations=3)
    assert (items % 2 == np.arange(50, 60)[:, None] % 2).all()


def test_shuffled_rows_teach_nothing():
    X, y = two_domains(n_rows=400)
    shuffled = np.random.RandomState(1).permutation(300)
    model = BridgeRecommender(target_model(), Ridge())
    learned = clone(model).fit(X[:300], y[:300]).score(X[300:], y[300:])
    unrelated = clone(model).fit(X[:300], y[shuffled]).score(X[300:], y[300:])
    popular = PopularityRecommender().fit(y[:300])
    baseline = popular.score(sp.csr_array(y[300:].shape), y[300:])
    assert learned > baseline + 0.2
    assert unrelated < baseline + 0.05


def test_a_frozen_target_model_keeps_what_it_knows():
    X, y = two_domains()
    target = target_model().fit(y)
    model = BridgeRecommender(FrozenEstimator(target)).fit(X[:20], y[:20])
    np.testing.assert_array_equal(model.item_factors_, target.item_factors_)
    with pytest.raises(ValueError, match="features"):
        model.fit(X, y[:, :-1])


def test_the_target_model_may_be_a_pipeline_or_a_search():
    X, y = two_domains()
    expected = BridgeRecommender(target_model()).fit(X, y).decision_function(X)
    for target in (make_pipeline(MaxAbsScaler(), target_model()), search(target_model(), {})):
        scores = BridgeRecommender(target).fit(X, y).decision_function(X)
        np.testing.assert_allclose(scores, expected, atol=1e-5)


def search(estimator, grid):
    return GridSearchCV(estimator, grid, cv=2, scoring=lambda model, X, y=None: 0.0)


def test_parameters_of_both_parts_can_be_searched():
    X, y = two_domains()
    grid = {"recommender__n_components": [2, 3], "regressor__alpha": [0.1, 1e9]}
    found = GridSearchCV(BridgeRecommender(target_model(), Ridge()), grid, cv=3).fit(X, y)
    assert found.best_params_["regressor__alpha"] == 0.1
    assert found.best_estimator_.item_factors_.shape[1] in (2, 3)


def test_parts_are_cloned():
    X, y = two_domains()
    target, regressor = target_model(), Ridge()
    model = BridgeRecommender(target, regressor).fit(X, y)
    assert not hasattr(target, "item_factors_")
    assert not hasattr(regressor, "coef_")
    assert model.recommender_ is not target


def test_saved_model_recommends_the_same(tmp_path):
    X, y = two_domains()
    model = make_pipeline(target_model(), BridgeRecommender(target_model())).fit(X, y)
    joblib.dump(model, tmp_path / "bridge.joblib")
    loaded = joblib.load(tmp_path / "bridge.joblib")
    np.testing.assert_array_equal(loaded.decision_function(X), model.decision_function(X))


def test_tags_follow_the_parts():
    assert get_tags(BridgeRecommender(target_model())).target_tags.positive_only
    dense_only = BridgeRecommender(target_model(), RandomForestRegressor())
    assert get_tags(dense_only).input_tags.sparse
    X, y = two_domains()
    with pytest.raises(ValueError, match="Negative values in data passed to y"):
        BridgeRecommender(target_model()).fit(X, -y)


def test_what_has_no_factors_is_refused():
    X, y = two_domains()
    with pytest.raises(ValueError, match="'recommender' parameter"):
        BridgeRecommender(PopularityRecommender()).fit(X, y)
    with pytest.raises(TypeError, match="cannot recommend"):
        BridgeRecommender(MaxAbsScaler()).fit(X, y)


def test_too_few_interactions_are_refused():
    X, y = two_domains()
    with pytest.raises(ValueError, match="min_interactions=20"):
        BridgeRecommender(target_model(), min_interactions=20).fit(X, y)


def noisy_pair(noise, n_rows=1100, n_items=100, n_tastes=5, seed=0):
    """Return features that tell the taste of a row, with noise in many columns, and its items."""
    rng = np.random.RandomState(seed)
    tastes = rng.randint(n_tastes, size=n_rows)
    X = np.hstack([np.eye(n_tastes)[tastes], noise * rng.normal(size=(n_rows, 20))])
    y = rng.uniform(size=(n_rows, n_items)) < 0.02
    y |= (np.arange(n_items) % n_tastes == tastes[:, None]) & (rng.uniform(size=y.shape) < 0.2)
    return X.astype(np.float32), y.astype(np.float32)


def test_the_default_regression_is_that_which_finds_the_items_of_held_out_rows(monkeypatch):
    """A huge penalty predicts the same factors for all rows."""
    shares = "sktransrec.transfer.bridges._bridge._RIDGE_SHARES"
    monkeypatch.setattr(shares, (1e6, 0.1))
    X, y = noisy_pair(0.1)
    scatter = len(X) * np.var(X, axis=0).mean()
    model = BridgeRecommender(target_model()).fit(X, y)
    assert model.regressor_.alpha == pytest.approx(0.1 * scatter, rel=1e-3)
    few = BridgeRecommender(target_model()).fit(X[:100], y[:100])
    assert few.regressor_.alpha > scatter


def test_the_default_regression_does_not_depend_on_the_unit_of_X():
    X, y = noisy_pair(0.5)
    models = [BridgeRecommender(target_model()).fit(scale * X, y) for scale in (1, 64)]
    scores = [
        model.decision_function(scale * X[:50])
        for model, scale in zip(models, (1, 64), strict=True)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-2, atol=1e-3)


def test_the_default_regression_is_chosen_for_any_target_model():
    """The factors of a hybrid have no bias with all parts of its default."""
    rng = np.random.RandomState(0)
    X, y = (rng.uniform(size=(1100, n)) < 0.1 for n in (20, 110))
    hybrid = HybridRecommender(ALSRecommender(2, max_iter=1, random_state=0))
    model = BridgeRecommender(hybrid).fit(X * 1.0, y * 1.0)
    assert model.item_bias_ is None
    assert np.isfinite(model.decision_function(X[:3] * 1.0)).all()


def test_the_default_regression_takes_one_more_fit_of_the_values_in_use(monkeypatch):
    calls = []
    fit = ALSRecommender.fit

    def counted(self, *arguments):
        calls.append(self)
        return fit(self, *arguments)

    monkeypatch.setattr(ALSRecommender, "fit", counted)
    X, y = noisy_pair(0.5)
    BridgeRecommender(ALSRecommender(2, max_iter=1)).fit(X, y)
    assert len(calls) == 2
    assert calls[1].regularization == calls[0].regularization_
    BridgeRecommender(ALSRecommender(2, max_iter=1), Ridge()).fit(X, y)
    assert len(calls) == 3
