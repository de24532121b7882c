"""PersonalizedBridgeRecommender: its gradient, its limits, and rows whose bridges differ."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from scipy.optimize import check_grad
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sktransrec import (
    ALSRecommender,
    BPRRecommender,
    BridgeRecommender,
    PersonalizedBridgeRecommender,
    PopularityRecommender,
)
from sktransrec.datasets import make_cross_domain
from sktransrec.transfer.bridges._personalized import _flat


def als(n_components=4):
    return ALSRecommender(n_components, max_iter=5, random_state=0)


def personalized(**parameters):
    parameters = {"n_components": 3, "random_state": 0, **parameters}
    return PersonalizedBridgeRecommender(als(3), als(4), **parameters)


def two_domains(seed=0):
    pair = make_cross_domain(80, 30, 24, n_cold_users=0, target_density=0.2, random_state=seed)
    return pair.X_source, pair.Y_target


@pytest.mark.parametrize("recommender", [als(), BPRRecommender(4, max_iter=5, random_state=0)])
def test_the_slopes_are_those_of_the_loss(recommender):
    X, y = two_domains()
    model = personalized(max_iter=1).set_params(recommender=recommender).fit(X, y)
    inputs, targets = model._inputs(X, model.transformer_), model._targets(y)
    random_state = np.random.RandomState(1)

    def loss(theta):
        return targets.loss(model.network_.reshaped(theta).forward(inputs)[0])[0]

    def slope(theta):
        factors, back = model.network_.reshaped(theta).forward(inputs)
        return _flat(back(targets.loss(factors)[1]))

    for _ in range(3):
        theta = random_state.standard_normal(_flat(model.network_).size)
        error = check_grad(loss, slope, theta)
        assert error < 1e-5 * np.linalg.norm(slope(theta))


def test_the_loss_is_that_of_all_entries():
    X, y = two_domains()
    y = sp.csr_array(sp.vstack([sp.csr_array((3, y.shape[1]), dtype=y.dtype), y[3:]]))
    model = personalized(confidence=7.0).fit(X, y)
    C, is_one = np.where(y.toarray() > 0, 7 * y.toarray(), 1), y.toarray() > 0
    U = model.transform(X).astype(float)
    errors = (C * (is_one - U @ model.item_factors_.T) ** 2).sum(axis=1)
    known = is_one.any(axis=1)
    expected = (errors[known] / (C * is_one).sum(axis=1)[known]).mean()
    assert model._targets(y).loss(U)[0] == pytest.approx(expected, rel=1e-5)


def test_attention_is_the_softmax_over_what_a_row_has():
    X, y = two_domains()
    model = personalized().fit(X, y)
    B, a, C, c, G = model.network_
    S = model.transformer_.item_factors_ / model.scales_[0]
    u = model.transformer_.transform(X[:1]) / model.scales_[1]
    has = X.toarray()[0] > 0
    e = np.exp(np.tanh(S[has] @ B) @ a)
    p = e / e.sum() @ S[has]
    h = np.concatenate([[1], np.tanh(p @ C + c)])
    correction = np.concatenate([[1], u[0]]) @ np.tensordot(h, G, axes=1)
    shared = model.regressor_.predict(model.transformer_.transform(X[:1]))
    assert np.abs(a).max() > 0
    assert np.linalg.norm(correction) > 0.01 * np.linalg.norm(shared)
    assert_allclose(model.transform(X[:1]), shared + correction, rtol=1e-4, atol=1e-5)


def test_much_regularization_is_the_shared_bridge():
    X, y = two_domains()
    model = personalized(regularization=1e8).fit(X, y)
    source = als(3).fit(X)
    shared = BridgeRecommender(als(4), Ridge()).fit(source.transform(X), y)
    assert_allclose(model.transform(X), shared.transform(source.transform(X)), atol=1e-4)


def test_the_objective_falls():
    X, y = two_domains()
    model = personalized().fit(X, y)
    assert len(model.loss_curve_) == model.n_iter_ + 1
    assert (np.diff(model.loss_curve_) <= 0).all()
    assert model.loss_curve_[-1] < 0.98 * model.loss_curve_[0]


def rows_of_two_kinds(n_rows, seed):
    """Return rows whose taste for the parity of target items is turned round by their kind.

    Items 0 to 7 of the source show the kind and items 8 to 23 the parity that a row likes there.
    A row of the second kind likes the other parity in the target: no map that all rows share can
    tell, as it takes the product of both.
    """
    rng = np.random.RandomState(seed)
    kind, parity = rng.randint(2, size=(2, n_rows, 1))
    likes_kind = np.arange(8) % 2 == kind
    likes_source = np.arange(16) % 2 == parity
    likes_target = np.arange(20) % 2 == (kind ^ parity)

    def draw(likes):
        return sp.csr_array((rng.uniform(size=likes.shape) < 0.6 * likes).astype(np.float32))

    return sp.csr_array(sp.hstack([draw(likes_kind), draw(likes_source)])), draw(likes_target)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rows_that_need_bridges_of_their_own(seed):
    X, y = rows_of_two_kinds(500, seed)
    train, new = slice(0, 300), slice(300, None)
    source = als(4).fit(X[train])
    shared = make_pipeline(FrozenEstimator(source), BridgeRecommender(als(4)))
    shared_score = shared.fit(X[train], y[train]).score(X[new], y[new])
    own = PersonalizedBridgeRecommender(
        source, als(4), regularization=1e-3, max_iter=100, random_state=seed
    )
    assert own.fit(X[train], y[train]).score(X[new], y[new]) > shared_score + 0.15


def test_models_may_be_frozen_or_pipelines():
    X, y = two_domains()
    source, target = als(3).fit(X), als(4).fit(y)
    expected = personalized().fit(X, y).decision_function(X)
    frozen = PersonalizedBridgeRecommender(
        FrozenEstimator(source), FrozenEstimator(target), n_components=3, random_state=0
    )
    assert_allclose(frozen.fit(X, y).decision_function(X), expected, rtol=1e-3, atol=1e-4)
    assert frozen.transformer_.estimator is source
    piped = personalized().set_params(transformer=make_pipeline(MaxAbsScaler(), als(3)))
    assert_allclose(piped.fit(X, y).decision_function(X), expected, rtol=1e-3, atol=1e-4)


def test_what_has_no_factors_is_refused():
    X, y = two_domains()
    with pytest.raises(TypeError, match="cannot recommend"):
        personalized().set_params(transformer=MaxAbsScaler()).fit(X, y)
    with pytest.raises(ValueError, match="'recommender' parameter"):
        personalized().set_params(recommender=PopularityRecommender()).fit(X, y)
    with pytest.raises(ValueError, match="Negative values in data passed to X"):
        personalized().fit(-X, y)
    with pytest.raises(ValueError, match="y holds no interactions"):
        personalized().fit(X, sp.csr_array(y.shape, dtype=np.float32))
