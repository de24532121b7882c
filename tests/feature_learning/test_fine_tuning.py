# SPDX-License-Identifier: BSD-3-Clause
"""Fine-tuning by constructor parameters, from a learner that was fitted elsewhere."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktransrec import (
    Autoencoder,
    CNNEncoder,
    CrossDomainAutoencoderRecommender,
    ReconstructionRecommender,
    RNNEncoder,
    TextEncoder,
    TwoTowerAutoencoderRecommender,
    ranking_scorer,
    transfer_learning_curve,
)
from sktransrec.datasets import load_movielens, make_cross_domain
from sktransrec.interactions import InteractionEncoder

TINY = {
    "n_components": 3,
    "hidden_layer_sizes": (5,),
    "activation": "tanh",
    "run_eagerly": True,
    "random_state": 0,
}
# Steps too short to change a float32 but zero: training leaves the weights where they start.
STILL = {"learning_rate": 1e-30, "epochs": 1}

OLD = np.array(["a", "b", "c", "d", "e", "f"])
NEW = np.array(["e", "x", "b", "y", "z", "a", "w"])
SHARED_OLD, SHARED_NEW = [4, 1, 0], [0, 2, 5]
FRESH_NEW = [1, 3, 4, 6]


def _rows(n_columns, n_rows=30, seed=0):
    return np.random.RandomState(seed).poisson(0.7, size=(n_rows, n_columns)).astype(np.float32)


def _source(**parameters):
    return FrozenEstimator(Autoencoder(epochs=3, item_ids=OLD, **TINY, **parameters).fit(_rows(6)))


def _weights(model):
    return model._fitted_network.weights


def _assert_same_weights(model, other, *, but=()):
    for path, weight in _weights(model).items():
        if path.split("/")[0] not in but:
            np.testing.assert_array_equal(_weights(other)[path], weight)


@pytest.fixture(scope="module")
def source():
    return _source()


def test_columns_are_copied_by_name_and_the_others_start_from_scratch(source):
    fresh = Autoencoder(**TINY, **STILL).fit(_rows(7))
    tuned = Autoencoder(pretrained=source, item_ids=NEW, **TINY, **STILL).fit(_rows(7))
    theirs, ours, scratch = map(_weights, (source, tuned, fresh))
    for path, axis in {"encoder_1/kernel": 0, "output/kernel": 1, "output/bias": 0}.items():
        copied = theirs[path].take(SHARED_OLD, axis)
        np.testing.assert_array_equal(ours[path].take(SHARED_NEW, axis), copied)
        fresh_parts = [weights[path].take(FRESH_NEW, axis) for weights in (ours, scratch)]
        np.testing.assert_allclose(*fresh_parts, atol=1e-20, rtol=0)
    for path in ("encoder_1/bias", "code/kernel", "code/bias", "decoder_1/kernel"):
        np.testing.assert_array_equal(ours[path], theirs[path])
    assert tuned.transferred_layers_ == [
        ("output", "by name", 3, False),
        ("decoder_1", "whole", None, False),
        ("code", "whole", None, False),
        ("encoder_1", "by name", 3, False),
    ]


@pytest.mark.parametrize("hidden_layer_sizes", [(5,), ()])
def test_a_network_that_knows_none_of_the_items_is_refused(hidden_layer_sizes):
    sizes = {**TINY, "hidden_layer_sizes": hidden_layer_sizes}
    numbered = Autoencoder(epochs=1, item_ids=np.arange(1000, 1006), **sizes).fit(_rows(6))
    padded = np.array(["00001000", "00001001", "00001002"])
    tuned = Autoencoder(pretrained=FrozenEstimator(numbered), item_ids=padded, **sizes)
    with pytest.raises(ValueError, match=r"0 of 3 item_ids.* such as '00001000'.* such as 1000"):
        tuned.fit(_rows(3))


def test_names_of_a_table_are_used(source):
    pd = pytest.importorskip("pandas")
    frames = [pd.DataFrame(_rows(len(names)), columns=names) for names in (OLD, NEW)]
    named = FrozenEstimator(Autoencoder(epochs=3, **TINY).fit(frames[0]))
    tuned = Autoencoder(pretrained=named, epochs=2, **TINY).fit(frames[1])
    expected = Autoencoder(pretrained=source, item_ids=NEW, epochs=2, **TINY).fit(_rows(7))
    _assert_same_weights(tuned, expected)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_what_is_frozen_does_not_move(source, optimizer):
    tuned = Autoencoder(
        pretrained=source, item_ids=NEW, trainable="head", epochs=2, optimizer=optimizer, **TINY
    ).fit(_rows(7))
    for path in ("encoder_1/bias", "code/kernel", "code/bias", "decoder_1/kernel"):
        np.testing.assert_array_equal(_weights(tuned)[path], _weights(source)[path])
    still = clone(tuned).set_params(**STILL).fit(_rows(7))
    kernel, start = (_weights(model)["encoder_1/kernel"] for model in (tuned, still))
    np.testing.assert_array_equal(kernel[SHARED_NEW], start[SHARED_NEW])
    assert (kernel[FRESH_NEW] != start[FRESH_NEW]).any(axis=1).all()
    assert (_weights(tuned)["output/kernel"] != _weights(still)["output/kernel"]).all()
    assert [layer.frozen for layer in tuned.transferred_layers_] == [False, True, True, True]
    one = clone(tuned).set_params(trainable=1).fit(_rows(7))
    _assert_same_weights(one, tuned)


def test_without_names_the_number_of_columns_decides(source):
    nameless = FrozenEstimator(Autoencoder(epochs=3, **TINY).fit(_rows(6)))
    tuned = Autoencoder(pretrained=nameless, **TINY, **STILL).fit(_rows(6, seed=1))
    _assert_same_weights(tuned, nameless)
    assert {layer.copied for layer in tuned.transferred_layers_} == {"whole"}
    tuned = Autoencoder(pretrained=source, **TINY, **STILL).fit(_rows(7))
    copied = {layer.name: layer.copied for layer in tuned.transferred_layers_}
    assert copied == {"output": "no", "decoder_1": "whole", "code": "whole", "encoder_1": "no"}


def test_a_shallow_network_has_its_columns_at_the_code():
    shallow = {**TINY, "hidden_layer_sizes": ()}
    first = Autoencoder(kind="variational", epochs=1, item_ids=OLD, **shallow).fit(_rows(6))
    tuned = Autoencoder(
        kind="variational", pretrained=FrozenEstimator(first), item_ids=NEW, **shallow, **STILL
    ).fit(_rows(7))
    for path in ("code/kernel", "code_log_std/kernel"):
        np.testing.assert_array_equal(
            _weights(tuned)[path][SHARED_NEW], _weights(first)[path][SHARED_OLD]
        )


def test_without_pretrained_the_other_parameters_change_nothing():
    plain = Autoencoder(epochs=3, **TINY).fit(_rows(7))
    others = {"trainable": "head", "unfreeze_every": 1, "layer_decay": 3.0, "l2_sp": 0.5}
    model = Autoencoder(epochs=3, item_ids=NEW, **others, **TINY).fit(_rows(7))
    _assert_same_weights(plain, model)
    assert model.transferred_layers_ == plain.transferred_layers_ == []


def test_partial_fit_goes_on_as_fit_does(source):
    parameters = {"unfreeze_every": 1, "layer_decay": "auto", "l2_sp": 0.1, "item_ids": NEW}
    whole = Autoencoder(pretrained=source, epochs=4, **parameters, **TINY).fit(_rows(7))
    parts = Autoencoder(pretrained=source, **parameters, **TINY)
    for epoch in range(4):
        parts = (pickle.loads(pickle.dumps(parts)) if epoch == 2 else parts).partial_fit(_rows(7))
    _assert_same_weights(whole, parts)
    assert parts.transferred_layers_ == whole.transferred_layers_


def test_a_warm_start_keeps_what_was_copied_and_may_thaw_it(source):
    head = Autoencoder(
        pretrained=source, item_ids=NEW, trainable="head", epochs=2, warm_start=True, **TINY
    ).fit(_rows(7))
    code = _weights(head)["code/kernel"]
    np.testing.assert_array_equal(_weights(head.fit(_rows(7)))["code/kernel"], code)
    assert head.n_iter_ == 4
    head.set_params(trainable="all").fit(_rows(7))
    assert (_weights(head)["code/kernel"] != code).any()
    assert not any(layer.frozen for layer in head.transferred_layers_)


def test_l2_sp_holds_the_weights_where_they_started(source):
    def distance(l2_sp):
        tuned = Autoencoder(
            pretrained=source, item_ids=NEW, l2_sp=l2_sp, epochs=10, learning_rate=0.02, **TINY
        ).fit(_rows(7, seed=1))
        return np.abs(_weights(tuned)["code/kernel"] - _weights(source)["code/kernel"]).max()

    assert distance(100.0) < 0.1 * distance(0.0)


SMALL = {"n_components": 3, "n_tokens": 9, "embedding_size": 4}


@pytest.mark.parametrize(
    "learner",
    [
        CNNEncoder(hidden_layer_sizes=(5,), **SMALL),
        RNNEncoder(hidden_layer_sizes=(5,), **SMALL),
        TextEncoder(n_layers=1, **SMALL),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_learners_of_tokens(learner):
    X = np.random.RandomState(0).randint(1, 8, size=(20, 3))
    model = clone(learner).set_params(epochs=1, run_eagerly=True, random_state=0)
    pretrained = FrozenEstimator(clone(model).fit(X, np.eye(8)[X[:, 0]]))
    tuned = clone(model).set_params(pretrained=pretrained, trainable="head")
    tuned.fit(X, np.eye(3)[X[:, 1] % 3])
    layers = {layer.name: layer for layer in tuned.transferred_layers_}
    assert layers["output"] == ("output", "no", None, False)
    assert layers["embedding"] == ("embedding", "whole", None, True)
    counters = {path.split("/")[0] for path in _weights(tuned) if path.endswith("/n_calls")}
    _assert_same_weights(tuned, pretrained, but=["output", *counters])
    more_tokens = clone(tuned).set_params(n_tokens=10).fit(X, X[:, 1] % 2)
    assert more_tokens.transferred_layers_[-1] == ("embedding", "no", None, False)


def test_the_learner_may_stand_in_a_pipeline_or_the_search_of_a_recommender(source):
    learner = clone(source.estimator)
    pipeline = make_pipeline(FunctionTransformer(), learner).fit(_rows(6))
    search = GridSearchCV(
        ReconstructionRecommender(learner), {}, cv=2, scoring=ranking_scorer(k=2, holdout=1)
    ).fit(_rows(6))
    for held, inner in ((pipeline, pipeline[-1]), (search, search.best_estimator_.transformer_)):
        tuned = Autoencoder(pretrained=FrozenEstimator(held), **TINY, **STILL).fit(_rows(6))
        _assert_same_weights(tuned, inner)


@pytest.mark.parametrize(
    "pretrained",
    [
        lambda: Autoencoder(epochs=1, **TINY).fit(_rows(6)),
        lambda: FrozenEstimator(Autoencoder()),
        lambda: FrozenEstimator(FunctionTransformer()),
        lambda: FrozenEstimator(RNNEncoder(3, epochs=1, run_eagerly=True).fit(_rows(6))),
        lambda: "a path",
    ],
    ids=["not frozen", "not fitted", "no learner", "another class", "no estimator"],
)
def test_pretrained_must_hold_a_fitted_learner_of_the_class(pretrained):
    with pytest.raises(ValueError, match="FrozenEstimator around a fitted Autoencoder"):
        Autoencoder(pretrained=pretrained(), **TINY).fit(_rows(6))


@pytest.mark.parametrize(
    ("item_ids", "words"),
    [
        (["a", "b"], "2 ids, but there are 6 columns"),
        (["a"] * 6, "repeats 'a', which stands 6 times"),
        ([["a"] * 6], "of type list"),
    ],
)
def test_item_ids_must_be_distinct_and_one_for_each_column(item_ids, words):
    with pytest.raises(ValueError, match=f"item_ids .*{words}"):
        Autoencoder(item_ids=item_ids, **TINY).fit(_rows(6))


@pytest.mark.parametrize(
    "parameter", [{"trainable": 0}, {"unfreeze_every": 0}, {"layer_decay": 0.5}, {"l2_sp": -1}]
)
def test_parameters_out_of_range(parameter):
    with pytest.raises(ValueError, match=next(iter(parameter))):
        Autoencoder(**parameter, **TINY).fit(_rows(6))


@pytest.mark.slow
def test_a_search_compares_scratch_frozen_and_fine_tuned():
    """Many rows elsewhere, few here, the same tastes: a source is worth more than a fresh start."""
    X = make_cross_domain(700, 60, 50, n_cold_users=0, random_state=0).source.matrix
    items = np.arange(60)
    here = np.random.RandomState(0).permutation(60)[:50]
    learner = Autoencoder(
        n_components=8,
        hidden_layer_sizes=(),
        kind="denoising",
        loss="multinomial",
        activation="linear",
        batch_size=50,
        learning_rate=0.01,
        epochs=20,
        run_eagerly=True,
        random_state=0,
    )
    elsewhere = clone(learner).set_params(item_ids=items).fit(X[:600])
    pretrained = FrozenEstimator(elsewhere)
    search = GridSearchCV(
        ReconstructionRecommender(learner.set_params(item_ids=items[here])),
        [
            {"transformer__pretrained": [None]},
            {"transformer__pretrained": [pretrained], "transformer__trainable": ["head", "all"]},
        ],
        scoring=ranking_scorer("ndcg", k=10, holdout=0.3, random_state=0),
        cv=2,
    ).fit(X[600:][:, here])
    scratch, head, tuned = search.cv_results_["mean_test_score"]
    assert min(head, tuned) > 1.1 * scratch > 0
    assert search.best_estimator_.transformer_.transferred_layers_[0].n_columns == 50
    assert pretrained.estimator is elsewhere


@pytest.mark.data
@pytest.mark.slow
def test_films_in_common_are_worth_a_pretrained_network(data_home):
    """Users who joined MovieLens late are served better by what early ones taught a network."""
    ratings = load_movielens(data_home=data_home).ratings
    users, rows = np.unique(ratings.user_id, return_inverse=True)
    joined = np.full(len(users), np.iinfo(np.int64).max)
    np.minimum.at(joined, rows, ratings.timestamp)
    is_early = joined[rows] < np.quantile(joined, 0.6)
    encoders, matrices = [], []
    for chosen in (is_early, ~is_early):
        liked = chosen & (ratings.rating >= 4)
        encoder = InteractionEncoder(min_item_interactions=3)
        log = {"user": ratings.user_id[liked], "item": ratings.movie_id[liked]}
        matrices.append(encoder.fit_transform(log))
        encoders.append(encoder)
    learner = Autoencoder(
        hidden_layer_sizes=(),
        kind="denoising",
        loss="multinomial",
        activation="tanh",
        regularization=1e-3,
        batch_size=50,
        learning_rate=0.01,
        epochs=50,
        random_state=0,
    )
    early, late = (clone(learner).set_params(item_ids=encoder.items_) for encoder in encoders)
    tuned = clone(late).set_params(pretrained=FrozenEstimator(early.fit(matrices[0])), l2_sp=10.0)
    curve = transfer_learning_curve(
        {name: ReconstructionRecommender(model) for name, model in (("t", tuned), ("s", late))},
        matrices[1],
        train_sizes=[10],
        cv=2,
        random_state=0,
    )
    n_common = len(np.intersect1d(*(encoder.items_ for encoder in encoders)))
    assert tuned.fit(matrices[1]).transferred_layers_[0][1:3] == ("by name", n_common)
    gain = curve.scores["t"][0] - curve.scores["s"][0]
    gain = gain[~np.isnan(gain)]
    assert gain.mean() > 3 * gain.std(ddof=1) / np.sqrt(len(gain)) > 0


def test_points_in_time_need_no_names():
    histories = np.random.RandomState(0).randint(1, 7, size=(20, 4))
    tables = [pd.DataFrame(histories, columns=list(names)) for names in ("abcd", "wxyz")]
    source = FrozenEstimator(CNNEncoder(epochs=1, **TINY).fit(tables[0]))
    model = CNNEncoder(pretrained=source, epochs=1, **TINY).fit(tables[1])
    assert {layer.copied for layer in model.transferred_layers_} == {"whole"}


@pytest.mark.parametrize(
    "kind", [CrossDomainAutoencoderRecommender, TwoTowerAutoencoderRecommender]
)
def test_columns_that_go_by_place_keep_their_names(kind):
    X = pd.DataFrame(_rows(6), columns=list("abcdef"))
    is_of_one_domain = kind is TwoTowerAutoencoderRecommender
    domain = {"target_columns": slice(3, None)} if is_of_one_domain else {}
    y = None if is_of_one_domain else _rows(4)
    source = FrozenEstimator(kind(epochs=1, **domain, **TINY).fit(X, y))
    model = kind(pretrained=source, epochs=1, **domain, **TINY)
    assert model.fit(X, y).transferred_layers_[0].copied == "whole"
    for other in (X[list("bacdef")], X.add_prefix("z ")):
        with pytest.raises(ValueError, match="where pretrained was fitted with 'a'"):
            model.fit(other, y)
