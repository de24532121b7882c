# SPDX-License-Identifier: BSD-3-Clause
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sktransrec import (
    InteractionEncoder,
    ItemFeatures,
    NextItemRecommender,
    PopularityRecommender,
    ranking_scorer,
)
from sktransrec.datasets import load_sequences
from sktransrec.metrics import held_out_ranks, rank_metrics

N_ITEMS = 7
ARCHITECTURES = ["attention", "cnn", "gru", "lstm"]
# Networks of the same sizes are compiled once; those of sizes that occur once run eagerly.
TINY = {"n_components": 8, "n_layers": 1, "epochs": 3, "random_state": 0}
EAGER = {**TINY, "epochs": 1, "batch_size": 64, "run_eagerly": True}

# One step an epoch, and enough of them to learn a rule.
THOROUGH = {"epochs": 12, "learning_rate": 0.05}


def cycles(n_rows=40, length=6, seed=0):
    """Histories in which item i + 1 follows item i, and 1 follows the last one, cut at random."""
    rng = np.random.RandomState(seed)
    X = 1 + (rng.randint(N_ITEMS, size=(n_rows, 1)) + np.arange(length)) % N_ITEMS
    X[np.arange(length) >= rng.randint(2, length + 1, size=(n_rows, 1))] = 0
    X[0] = np.arange(length) + 2
    return X


def features(n_items=N_ITEMS, n_features=10, seed=0):
    values = np.random.RandomState(seed).standard_normal((n_items, n_features))
    return ItemFeatures(values.astype(np.float32))


@pytest.fixture(scope="module")
def model():
    """Return a fitted recommender, to be left as it is."""
    return NextItemRecommender(**TINY).fit(cycles())


@pytest.mark.parametrize(
    ("architecture", "n_negatives"),
    [
        *(("attention", None), ("cnn", 20)),
        *(pytest.param(each, None, marks=pytest.mark.slow) for each in ("cnn", "gru", "lstm")),
        *(pytest.param(each, 20, marks=pytest.mark.slow) for each in ("attention", "gru", "lstm")),
    ],
)
def test_rule_of_the_next_item(architecture, n_negatives):
    model = NextItemRecommender(architecture, n_negatives=n_negatives, **TINY)
    model.set_params(**THOROUGH)
    if n_negatives:  # samples of the other items teach less in a step
        model.set_params(epochs=20, dropout=0.0)
    model.fit(cycles())
    items, _ = model.recommend([[1, 2, 3, 0, 0, 0], [6, 7, 1, 0, 0, 0]], n_recommendations=1)
    assert_array_equal(items + 1, [[4], [2]])


@pytest.mark.parametrize("n_events", [1, 20])
def test_a_later_log_fits_whatever_its_length(n_events):
    log = {"user": ["ann", "ann", "bob", "bob"], "item": ["a", "b", "b", "c"]}
    encoder = InteractionEncoder().fit(log)
    model = NextItemRecommender(**EAGER).fit(encoder.sequences(log, max_length=6))
    later = {"user": ["eve"] * n_events, "item": ["c", "b"] * (n_events // 2) or ["b"]}
    histories = encoder.sequences(later, users=["eve"], max_length=6)
    items, _ = model.recommend(histories, n_recommendations=1)
    assert encoder.decode_items(items).item() not in later["item"]


@pytest.mark.parametrize("architecture", ["attention", pytest.param("gru", marks=pytest.mark.slow)])
def test_order_matters_where_sets_are_the_same(architecture):
    """After 1, 2 comes 3, and after 2, 1 comes 4."""
    X = np.array([[1, 2, 3, 0, 0, 0], [2, 1, 4, 0, 0, 0]] * 20)
    # Items 1 and 2 start from almost the same vector otherwise.
    model = NextItemRecommender(architecture, n_items=N_ITEMS, **TINY, init="random")
    model.set_params(**THOROUGH | {"epochs": 24}).fit(X)
    items, _ = model.recommend([[1, 2, 0, 0, 0, 0], [2, 1, 0, 0, 0, 0]], n_recommendations=1)
    assert_array_equal(items + 1, [[3], [4]])


@pytest.fixture(scope="module", params=ARCHITECTURES)
def deep_model(request):
    """Return a fitted recommender of each architecture, to be left as it is."""
    model = NextItemRecommender(request.param, **EAGER, unknown="ignore")
    return model.set_params(n_layers=2).fit(cycles())


def test_steps_do_not_know_those_after_them(deep_model):
    rows = np.array([[1, 2, 3, 4, 5], [1, 2, 3, 7, 6]])
    codes, code = (output.numpy() for output in deep_model.network_(rows))
    assert_array_equal(codes[0, :3], codes[1, :3])
    assert np.abs(codes[0, 3:] - codes[1, 3:]).min() > 0
    assert_array_equal(code, codes[:, -1])


def test_places_are_counted_from_the_last_item(model):
    positions = model.network_.get_layer("positions")
    rows = np.array([[1, 2, 3], [4, 5, 0], [6, 0, 0]])
    places = positions([np.zeros((3, 3, 8), dtype=np.float32), rows]).numpy()
    first, second, third = positions.embeddings.numpy()[:3]
    assert_array_equal(places[0], [third, second, first])
    assert_array_equal(places[1, :2], [second, first])
    assert_array_equal(places[2, 0], first)


def test_padding_may_stand_at_either_end(deep_model):
    variants = [[1, 2, 3, 0, 0, 0], [0, 0, 0, 1, 2, 3], [0, 1, 0, 2, 3, 0]]
    codes = deep_model.transform(variants)
    assert_allclose(codes, codes[[0, 0, 0]], rtol=1e-5, atol=1e-6)
    alone = deep_model.transform([variants[0], [4, 5, 6, 7, 1, 2]])[0]
    assert_allclose(alone, codes[0], rtol=1e-4, atol=1e-5)


def test_training_does_not_depend_on_the_side_of_the_padding():
    X = cycles()
    at_start = np.array([np.roll(row, np.count_nonzero(row == 0)) for row in X])
    scores = [NextItemRecommender(**TINY).fit(each).decision_function(X) for each in (X, at_start)]
    assert_array_equal(*scores)


def test_only_the_latest_items_are_read_but_all_are_seen():
    model = NextItemRecommender(max_length=2, **EAGER).fit(cycles())
    long, short = model.transform([[1, 2, 3, 4, 5, 6], [5, 6, 0, 0, 0, 0]])
    assert_allclose(long, short, rtol=1e-5, atol=1e-6)
    items, _ = model.recommend([[1, 2, 3, 4, 5, 6]], n_recommendations=2)
    assert items.tolist() == [[6, -1]]


def test_scores_are_products_of_factors(model):
    X = cycles()
    expected = model.transform(X) @ model.item_factors_.T + model.item_bias_
    assert_allclose(model.decision_function(X), expected, rtol=1e-5, atol=1e-5)
    assert len(pickle.dumps(model)) < 2 * len(pickle.dumps(model._fitted_network))
    similar, _ = model.similar_items([0], n_similar=3)
    assert similar.shape == (1, 3)


def test_held_out_items_are_not_learned_from():
    """Item 7 only ever comes last; held out in all rows, it is never a target."""
    X = np.array([[1, 2, 3, 7], [2, 3, 1, 7], [3, 1, 2, 7]] * 5)
    model = NextItemRecommender(**TINY, validation_fraction=1.0, init="random").fit(X)
    assert model.n_iter_ == len(model.validation_loss_curve_) == 3
    assert model.item_bias_[6] < model.item_bias_[:3].min()


def test_validation_loss_is_that_of_the_metric():
    X = cycles()
    model = NextItemRecommender(**TINY, validation_fraction=1.0).set_params(epochs=1).fit(X)
    lengths = np.count_nonzero(X, axis=1)
    X_before = X.copy()
    X_before[np.arange(len(X)), lengths - 1] = 0
    *_, ranks = held_out_ranks(model, X_before, X[np.arange(len(X)), lengths - 1])
    ndcg, _ = rank_metrics(ranks)["ndcg"]
    assert model.validation_loss_curve_ == pytest.approx([1 - ndcg], abs=1e-6)


def test_ties_count_half_when_training_stops_early():
    """A network that scores all items alike ranks in the middle of those that are new to a row."""
    model = NextItemRecommender(n_items=9, **EAGER).fit(cycles())
    weights = model._fitted_network.weights
    model._fitted_network.weights = {path: 0 * weight for path, weight in weights.items()}
    trainer = model._trainer(cycles(), None, keep_optimizer=False)
    ndcg = model._ndcg(trainer, np.array([[1, 2, 3], [4, 0, 0]]), np.array([4, 6]))
    assert ndcg == pytest.approx((1 / np.log2(1 + 3.5) + 1 / np.log2(1 + 4.5)) / 2)


def test_repeated_items_are_not_held_out():
    """They are not ranked, so that they say nothing of when to stop."""
    X = np.array([[1, 2, 3, 1], [2, 3, 2, 0], [3, 1, 2, 0]] * 5)
    settings = {**EAGER, "batch_size": 15}
    with_them, without = (
        NextItemRecommender(**settings, validation_fraction=share).fit(rows)
        for rows, share in ((X[:2], 1.0), (X[:2], 0.0))
    )
    assert with_them.validation_loss_curve_ is None
    assert_allclose(with_them.item_factors_, without.item_factors_, atol=1e-6)
    assert len(clone(with_them).fit(X).validation_loss_curve_) == 1


def test_the_best_epoch_is_kept():
    X = cycles()
    settings = {**TINY, **THOROUGH, "epochs": 30}
    model = NextItemRecommender(**settings, validation_fraction=0.5, patience=2).fit(X)
    curve = model.validation_loss_curve_
    best = int(np.argmin(curve))
    assert len(curve) == best + 3 < 30
    short = clone(model).set_params(epochs=best + 1, patience=30).fit(X)
    assert_array_equal(short.item_factors_, model.item_factors_)


def test_catalogues_are_read_by_their_features():
    """The items of the other catalogue are the same ones in another order."""
    X, order = cycles(), np.random.RandomState(1).permutation(N_ITEMS)
    catalogue = features()
    settings = {**TINY, **THOROUGH}
    model = NextItemRecommender(item_features=catalogue, **settings).fit(X)
    items, _ = model.recommend([[1, 2, 3, 0, 0, 0]], n_recommendations=1)
    assert items.tolist() == [[3]]
    other = catalogue.of(order)
    moved = model.with_item_features(other)
    place = np.argsort(order)
    history = np.zeros((1, 6), dtype=int)
    history[0, :3] = 1 + place[[0, 1, 2]]
    assert_allclose(
        moved.transform(history), model.transform([[1, 2, 3, 0, 0, 0]]), rtol=1e-4, atol=1e-5
    )
    scores = moved.decision_function(history)[0] + model.item_bias_[order]
    assert_allclose(
        scores, model.decision_function([[1, 2, 3, 0, 0, 0]])[0][order], rtol=1e-4, atol=1e-4
    )
    assert_array_equal(
        pickle.loads(pickle.dumps(moved)).transform(history), moved.transform(history)
    )


def test_item_features_can_be_learned():
    X, catalogue = cycles(), features()
    fixed = NextItemRecommender(item_features=catalogue, **EAGER).fit(X)
    learned = clone(fixed).set_params(learns_item_features=True).fit(X)
    assert_array_equal(fixed._fitted_network.weights["items/features"], catalogue.values)
    assert np.any(learned._fitted_network.weights["items/features"] != catalogue.values)
    with pytest.raises(ValueError, match="learns_item_features=False"):
        learned.with_item_features(catalogue)
    with pytest.raises(ValueError, match="describe all items by the same number"):
        fixed.with_item_features(features(n_features=3))


WORDS = ItemFeatures(["a"] * N_ITEMS)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_items": 3}, "item id 7.*n_items"),
        ({"n_heads": 3}, "n_heads=3 does not divide n_components=8"),
        ({"n_items": 9, "item_features": features()}, "leave n_items at None"),
        ({"item_features": ItemFeatures(["a"] * 7)}, "TruncatedSVD"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        NextItemRecommender(**TINY).set_params(**parameters).fit(cycles())


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.5, 2]], "not integers"),
        ([[-1, 2]], "Negative"),
        ([[1, 0], [2, 0]], "no history has two items"),
        ([[0, 0], [0, 0]], "no history has two items"),
        ([[2, 0, 3], [1, 2, 3]], "numbered from 0, add 1 to the ids"),
        ([[0, 2, 3, 0], [1, 2, 3, 0]], "numbered from 0, add 1 to the ids"),
        ([[0, 2, 3], [1, 2, 0]], "numbered from 0, add 1 to the ids"),
        ([[0, 1, 0, 1], [1, 1, 0, 0]], r"matrix of interactions, pass .*sequences\(log\)"),
        ([[0, 3, 0, 1], [1, 1, 0, 0]], r"matrix of interactions, pass .*sequences\(log\)"),
        ([[1, 1, 0], [1, 1, 1]], r"nothing but 0 and 1.*sequences\(log\)"),
        ([[2**40, 1]], "the item id 1099511627776.*InteractionEncoder"),
        ([[1, 2, 3], [1, 2]], "pad them to one length"),
        (np.array([[1, 2, 3], [1, 2]], dtype=object), "pad them to one length"),
        ([[1, 2, np.nan]], "contains NaN"),
        (np.zeros((3, 0), dtype=int), r"0 feature\(s\)"),
    ],
)
def test_bad_histories(X, message):
    with pytest.raises(ValueError, match=message):
        NextItemRecommender(**TINY).fit(X)


def test_a_sparse_matrix_is_told_to_become_sequences(model):
    X = sp.csr_array(np.eye(6, dtype=int))
    for call in (NextItemRecommender(**TINY).fit, model.decision_function, model.score):
        with pytest.raises(TypeError, match=r"X is a sparse matrix.* reads histories.*sequences"):
            call(X)


def test_what_the_encoder_gives_is_read_by_one_numbering():
    """Cycle 1 -> ... -> 7 -> 1: the next item is the id after the last, in each form of y."""
    log = {"user": np.repeat(np.arange(40), 6), "item": cycles().ravel()}
    log = {name: values[log["item"] > 0] for name, values in log.items()}
    encoder = InteractionEncoder().fit(log)
    X = encoder.sequences(log, max_length=6)
    model = NextItemRecommender(**{**TINY, **THOROUGH}).fit(X)
    latest = X[np.arange(40), np.count_nonzero(X, axis=1) - 1]
    following = latest % 7 + 1
    later = encoder.sequences({"user": np.arange(40), "item": following})
    as_matrix = encoder.transform({"user": np.arange(40), "item": following})
    expected = model.score(X, as_matrix)
    assert expected > 0.9
    two_steps = np.hstack([later, np.zeros_like(later)])
    for y in (following, following.tolist(), later, two_steps, as_matrix.toarray()):
        assert model.score(X, y) == expected
        assert ranking_scorer()(model, X, y) == expected
        assert (held_out_ranks(model, X, y)[2] == 1).mean() > 0.9
    with pytest.raises(ValueError, match=r"from 0 to 6, but the next items .* ids from 1 to 7"):
        model.score(X, following - 1)
    with pytest.raises(ValueError, match="from 2 to 8, but the next items"):
        model.score(X, following + 1)
    with pytest.raises(ValueError, match="y has 7 columns, as many as there are items"):
        model.score(X, np.hstack([later] + [np.zeros_like(later)] * 6))


def test_held_out_items_may_leave_nothing_to_learn():
    with pytest.raises(ValueError, match="smaller validation_fraction"):
        NextItemRecommender(**TINY, validation_fraction=1.0).fit([[1, 2, 0], [2, 3, 0]])


def test_histories_of_another_width_are_refused(model):
    for width in (5, 7):
        with pytest.raises(ValueError, match="expecting 6 features"):
            model.recommend(np.ones((2, width), dtype=int), n_recommendations=1)


def test_rows_without_a_next_item_teach_nothing():
    """They count for popularity, and an empty one is answered by it."""
    X = np.vstack([cycles(), [[0] * 6, [7, 0, 0, 0, 0, 0]]])
    settings = {**TINY, "batch_size": len(X), "dropout": 0.0}
    with_them, without = (NextItemRecommender(**settings).fit(each) for each in (X, X[:-2]))
    assert_allclose(with_them.item_factors_, without.item_factors_, atol=1e-4)
    expected = [np.count_nonzero((item == X).any(axis=1)) / len(X) for item in 1 + np.arange(7)]
    assert_allclose(with_them.popularity_, expected)
    assert_allclose(with_them.decision_function(X[-2:-1])[0], with_them.popularity_)
    alone = NextItemRecommender(**settings, validation_fraction=1.0).fit(X)
    assert len(alone.validation_loss_curve_) == alone.n_iter_


def test_unknown_items_are_left_out_on_request():
    X = cycles()
    model = NextItemRecommender(**TINY).fit(X)
    with pytest.raises(ValueError, match="item id 9"):
        model.transform([[1, 9, 2, 0, 0, 0]])
    model.set_params(unknown="ignore")
    ignored, expected = model.transform([[1, 9, 2, 0, 0, 0], [1, 2, 0, 0, 0, 0]])
    assert_allclose(ignored, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["attention", "gru"])
def test_eager_and_compiled_training_agree(architecture):
    X = cycles()
    compiled = NextItemRecommender(architecture, n_negatives=5, **{**TINY, "epochs": 1}).fit(X)
    eager = clone(compiled).set_params(run_eagerly=True).fit(X)
    assert_allclose(eager.decision_function(X), compiled.decision_function(X), rtol=1e-3, atol=1e-4)


def test_warm_start_and_partial_fit_go_on():
    X = cycles()
    model = NextItemRecommender(**TINY, warm_start=True).fit(X).fit(X)
    assert model.n_iter_ == 6
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    model.partial_fit(X)
    assert model.n_iter_ == 7


def test_partial_fit_counts_the_popularity_of_all_rows():
    X = cycles()
    whole = NextItemRecommender(**EAGER).fit(X)
    parts = NextItemRecommender(**EAGER, n_items=whole.n_items_).partial_fit(X[:7])
    assert not np.array_equal(parts.popularity_, whole.popularity_)
    assert_allclose(parts.partial_fit(X[7:]).popularity_, whole.popularity_, rtol=1e-6)


def test_search_over_rows():
    X = cycles(80)  # folds as large as the data of other tests
    lengths = np.count_nonzero(X, axis=1)
    following = X[np.arange(len(X)), lengths - 1] % N_ITEMS + 1
    model = NextItemRecommender(**TINY).set_params(**THOROUGH, n_items=N_ITEMS)
    search = GridSearchCV(
        model, {"epochs": [1, 12]}, scoring=ranking_scorer("ndcg", k=1), cv=2, error_score="raise"
    ).set_params(refit=False)
    search.fit(X, following)
    assert search.best_params_ == {"epochs": 12}
    assert search.best_score_ > 0.9


@pytest.mark.slow
@pytest.mark.data
def test_real_histories(data_home):
    """A short training on Last.fm is far better than popularity."""
    lastfm = load_sequences("lastfm", data_home=data_home)
    model = NextItemRecommender("gru", n_layers=1, epochs=12, dropout=0.3, random_state=0)
    model.fit(lastfm.X_train)
    popularity = PopularityRecommender().fit(lastfm.seen_valid)
    ndcg = [
        rank_metrics(held_out_ranks(each, X, lastfm.y_valid)[2])["ndcg"][0]
        for each, X in ((model, lastfm.X_train), (popularity, lastfm.seen_valid))
    ]
    assert ndcg[0] > 1.3 * ndcg[1] > 0


def test_fine_tuning_finds_items_by_their_ids():
    ids, others = np.array(list("abcdefg")), np.array(list("gxa"))
    model = NextItemRecommender(item_ids=ids, **EAGER).fit(cycles())
    pretrained = FrozenEstimator(model)
    X = np.array([[1, 2, 3], [2, 3, 1]] * 5)
    tuned = NextItemRecommender(pretrained=pretrained, trainable="head", item_ids=others, **EAGER)
    old, new = (each._fitted_network.weights for each in (model, tuned.fit(X)))
    assert tuned.transferred_layers_[0] == ("items", "by name", 2, False)
    assert all(layer[1:] == ("whole", None, True) for layer in tuned.transferred_layers_[1:])
    for path in old:
        if not path.startswith(("items", "dropout")) and "_dropout/" not in path:
            assert_array_equal(new[path], old[path])
    still = clone(tuned).set_params(learning_rate=1e-30).fit(X)
    assert_array_equal(still.item_factors_[[0, 2]], model.item_factors_[[6, 0]])
    with pytest.raises(ValueError, match="one id for each of them"):
        clone(tuned).set_params(item_ids=ids).fit(X)
    with pytest.raises(ValueError, match=r"0 of 3 item_ids.* are known to pretrained.*'x'.*'a'"):
        clone(tuned).set_params(item_ids=list("xyz")).fit(X)


def test_fine_tuning_reads_other_items_by_the_same_features():
    model = NextItemRecommender(item_features=features(), **EAGER).fit(cycles())
    tuned = NextItemRecommender(
        item_features=features(3, seed=1),
        pretrained=FrozenEstimator(model),
        n_negatives=5,
        l2_sp=0.1,
        unfreeze_every=1,
        **EAGER,
    )
    X = np.array([[1, 2, 3], [2, 3, 1]] * 5)
    tuned.set_params(learning_rate=1e-30).fit(X)
    old, new = (each._fitted_network.weights for each in (model, tuned))
    assert_array_equal(new["items/kernel"], old["items/kernel"])
    assert_array_equal(new["items/features"], features(3, seed=1).values)
    assert tuned.transferred_layers_[0].name == "items"
    # A table of features says what items with new ids are like.
    named = [ItemFeatures(features(n).values, list(ids)) for n, ids in ((7, "abcdefg"), (3, "xyz"))]
    model = NextItemRecommender(item_features=named[0], **EAGER).fit(cycles())
    tuned = clone(tuned).set_params(item_features=named[1], pretrained=FrozenEstimator(model))
    tuned.set_params(learning_rate=0.01).fit(X)
    assert tuned.transferred_layers_[0][:2] == ("items", "whole")
    old, changed = (each._fitted_network.weights for each in (model, tuned))
    assert (changed["items/kernel"] != old["items/kernel"]).any()
