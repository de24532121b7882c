# SPDX-License-Identifier: BSD-3-Clause
"""What workers of Dask learn from parts is what one machine learns from the whole."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sktransrec import (
    ALSRecommender,
    BPRRecommender,
    EASERecommender,
    GraphFilterRecommender,
    InteractionEncoder,
    ItemKNNRecommender,
    PopularityRecommender,
    RecommendationService,
    RidgeRecommender,
    recommend,
    save,
)

dask = pytest.importorskip("dask")
from sktransrec.distributed import (  # noqa: E402
    encode_parts,
    fit_encoder,
    fit_parts,
    recommend_parts,
)

RNG = np.random.RandomState(0)
X = sp.csr_array((RNG.uniform(size=(50, 8)) < 0.4) * 1.0)
LOG = {"user": RNG.randint(20, size=300), "item": RNG.choice(list("abcdefg"), size=300)}
ALS = {"n_components": 4, "regularization": 0.05, "max_iter": 3, "random_state": 0}


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


def parts_of(rows, n_parts=5):
    ends = np.linspace(0, rows.shape[0], n_parts + 1).astype(int)
    return [rows[start:stop] for start, stop in pairwise(ends)]


def logs_of(log, n_parts=5):
    return [{name: column[n::n_parts] for name, column in log.items()} for n in range(n_parts)]


@pytest.mark.parametrize(
    "model",
    [
        PopularityRecommender(),
        EASERecommender(),
        ItemKNNRecommender(),
        GraphFilterRecommender(8, random_state=0),
        RidgeRecommender(),
    ],
    ids=repr,
)
def test_parts_are_learned_as_one(model):
    y = (X[:, ::-1],) if isinstance(model, RidgeRecommender) else ()
    parts = [*parts_of(X), X[:0]]
    targets = [[*parts_of(y[0]), y[0][:0]]] if y else []
    learned = fit_parts(clone(model), parts, *targets)
    expected = clone(model).fit(X, *y).decision_function(X)
    assert_allclose(learned.decision_function(X), expected, rtol=1e-4, atol=1e-5)


def test_arrays_of_dask_are_parts():
    array = pytest.importorskip("dask.array")
    dense = array.from_array(X.toarray(), chunks=(20, 8))
    learned = fit_parts(EASERecommender(), dense)
    expected = EASERecommender(solver="primal").fit(X)
    assert_allclose(learned.coef_, expected.coef_, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match=r"X has 2 chunks of columns.* X\.rechunk\({1: -1}\)"):
        fit_parts(EASERecommender(), dense.rechunk((20, 4)))
    with pytest.raises(ValueError, match=r"y has 2 chunks of columns.* y\.rechunk\({1: -1}\)"):
        fit_parts(RidgeRecommender(), dense, dense.rechunk((20, 4)))


@pytest.mark.parametrize("n_components", [3, 4])
@pytest.mark.parametrize("scale_regularization", [True, False])
def test_half_steps_over_parts_are_those_of_the_whole(n_components, scale_regularization):
    model = ALSRecommender(**ALS).set_params(
        n_components=n_components, scale_regularization=scale_regularization
    )
    expected = clone(model).fit(X)
    learned = fit_parts(model, [X[:3], X[:0], X[3:20], X[20:]])
    assert vars(learned).keys() == vars(expected).keys()
    assert learned.confidence_ == pytest.approx(expected.confidence_)
    for name in ("item_factors_", "popularity_", "gram_eigenvalues_"):
        assert_allclose(getattr(learned, name), getattr(expected, name), rtol=1e-5, atol=1e-6)
    assert_allclose(learned.decision_function(X), expected.decision_function(X), atol=1e-5)


def test_the_first_part_may_be_without_entries():
    X = np.eye(3)
    model = fit_parts(PopularityRecommender(), [np.zeros((2, 3)), X])
    assert_allclose(model.popularity_, np.full(3, 1 / 5))


def test_entries_in_two_parts_count_once():
    X = sp.csr_array(np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]))
    twice = sp.csr_array((X.data.repeat(2) / 2, X.indices.repeat(2), 2 * X.indptr), shape=X.shape)
    model = fit_parts(ALSRecommender(1, max_iter=1, random_state=0), [twice])
    assert_allclose(model.popularity_, [0.5, 1, 0.5])


@pytest.mark.parametrize("model", [EASERecommender(), ALSRecommender(2, random_state=0)])
def test_names_of_columns_are_learned_and_compared(model):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X.toarray(), columns=list("abcdefgh"))
    model = clone(model)
    assert fit_parts(model, [frame[:20], frame[20:]]).feature_names_in_.tolist() == list("abcdefgh")
    scores = clone(model).fit(frame).decision_function(frame)
    assert_allclose(model.decision_function(frame), scores, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"parts of X .* column 0 is 'a' .*'h' in another one"):
        fit_parts(model, [frame[:20], frame[20:][list("hgfedcba")]])
    for narrow in (frame[20:][list("abc")], X[20:, :3]):
        with pytest.raises(ValueError, match=r"parts of X .*shape \(8,\), .*\(3,\)"):
            fit_parts(model, [frame[:20], narrow])
    assert not hasattr(fit_parts(model, [X[:20], X[20:]]), "feature_names_in_")


def test_names_of_the_items_are_learned_and_compared():
    pd = pytest.importorskip("pandas")
    y = pd.DataFrame(X[:, :3].toarray(), columns=list("abc"))
    model = fit_parts(RidgeRecommender(), [X[:20], X[20:]], [y[:20], y[20:]])
    assert model.item_names_.tolist() == list("abc")
    with pytest.raises(ValueError, match=r"parts of y .* column 0 is 'a' .*'c' in another one"):
        fit_parts(model, [X[:20], X[20:]], [y[:20], y[20:][list("cba")]])
    with pytest.raises(ValueError, match="parts of y differ"):
        fit_parts(model, [X[:20], X[20:]], [y[:20], X[20:]])


@pytest.mark.parametrize("model", [EASERecommender(), ALSRecommender(2)])
def test_parts_without_rows_are_an_error(model):
    with pytest.raises(ValueError, match="all of its parts are without rows"):
        fit_parts(model, [np.empty((0, 4)), np.empty((0, 4))])


READERS = [
    (partial(fit_encoder, InteractionEncoder()), "events"),
    (partial(encode_parts, InteractionEncoder().fit(LOG)), "events"),
    (partial(fit_parts, EASERecommender()), "X"),
    (partial(fit_parts, ALSRecommender(2)), "X"),
    (partial(fit_parts, RidgeRecommender(), [X]), "y"),
    (partial(recommend_parts, "a.model"), "X"),
]


@pytest.mark.parametrize(("read", "name"), READERS)
def test_an_empty_list_of_parts_is_an_error(read, name):
    with pytest.raises(ValueError, match=f"^{name} is an empty list of parts: pass at least one"):
        read([])


@pytest.mark.parametrize("whole", [X, X.toarray(), X[[0]].toarray().ravel(), LOG, 5], ids=type)
@pytest.mark.parametrize(("read", "name"), READERS)
def test_a_whole_matrix_or_log_is_no_list_of_parts(read, name, whole):
    with pytest.raises(ValueError, match=rf"^{name} is of type {type(whole).__name__}, and parts"):
        read(whole)


def test_parts_of_rows_and_items_belong_together():
    with pytest.raises(ValueError, match="X in 5 and y in 4 parts"):
        fit_parts(RidgeRecommender(), parts_of(X), parts_of(X, 4))


def test_models_without_sums_are_named():
    with pytest.raises(TypeError, match="BPRRecommender does not learn from sums"):
        fit_parts(BPRRecommender(), parts_of(X))


def test_the_vocabulary_of_parts_is_that_of_the_log():
    whole, parts = InteractionEncoder().fit(LOG), fit_encoder(InteractionEncoder(), logs_of(LOG))
    assert_array_equal(parts.users_, whole.users_)
    assert_array_equal(parts.items_, whole.items_)
    assert (parts.n_users_, parts.n_items_) == (whole.n_users_, whole.n_items_)
    assert_array_equal(parts.transform(LOG).toarray(), whole.transform(LOG).toarray())
    nothing = {name: values[:0] for name, values in LOG.items()}
    with_empty = fit_encoder(InteractionEncoder(), [nothing, *logs_of(LOG), nothing])
    assert_array_equal(with_empty.items_, whole.items_)
    assert [part.compute().shape[0] for part in encode_parts(whole, [LOG, nothing])] == [
        whole.n_users_,
        0,
    ]
    with pytest.raises(ValueError, match="events has no events"):
        fit_encoder(InteractionEncoder(), [nothing])
    with pytest.raises(ValueError, match="min_item_interactions=2 needs all events at once"):
        fit_encoder(InteractionEncoder(min_item_interactions=2), logs_of(LOG))


def test_columns_found_by_position_are_found_by_name_in_parts():
    frames, pd = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    log = pd.DataFrame(LOG)
    encoder = InteractionEncoder(user=0, item=1).fit(log)
    whole = encoder.transform(log).toarray()
    moved = log[["item", "user"]]
    parts = encode_parts(encoder, frames.from_pandas(moved, npartitions=3))
    found = np.vstack([part.compute().toarray() for part in parts])
    assert_array_equal(found[np.lexsort(found.T)], whole[np.lexsort(whole.T)])
    assert_array_equal(encode_parts(encoder, [moved])[0].compute().toarray(), whole)
    learned = fit_encoder(InteractionEncoder(user=0, item=1), [log[:150], moved[150:]])
    assert (learned.user, learned.item) == (0, 1)
    assert_array_equal(learned.users_, encoder.users_)
    assert_array_equal(learned.items_, encoder.items_)


def test_parts_have_the_users_that_the_thresholds_of_the_whole_log_leave():
    rng = np.random.RandomState(0)
    log = {"user": rng.randint(300, size=1500), "item": rng.randint(60, size=1500)}
    encoder = InteractionEncoder(min_user_interactions=3, min_item_interactions=20)
    X = encoder.fit_transform(log)
    assert len(encoder.rare_users_)
    parts = [{name: c[log["user"] // 60 == n] for name, c in log.items()} for n in range(5)]
    found = sp.vstack([part.compute() for part in encode_parts(encoder, parts)])
    assert_array_equal(found.toarray(), X.toarray())
    rare = {"user": encoder.rare_users_[:1], "item": encoder.items_[:1]}
    (part,) = encode_parts(encoder, [rare])
    assert part.compute().shape == (0, encoder.n_items_)


def test_parts_may_have_no_interactions():
    days = [
        {"user": [1, 2], "item": ["a", "b"], "stars": [1, 2]},
        {"user": [3, 1], "item": ["c", "b"], "stars": [0, 0]},
    ]
    both = {name: days[0][name] + days[1][name] for name in days[0]}
    whole = InteractionEncoder(value="stars").fit(both)
    for parts in (days, days[::-1]):
        learned = fit_encoder(InteractionEncoder(value="stars"), parts)
        for name in ("users_", "items_", "rare_users_", "rare_items_"):
            assert_array_equal(getattr(learned, name), getattr(whole, name))
    with pytest.raises(ValueError, match="events has no interactions: all values are 0"):
        fit_encoder(InteractionEncoder(value="stars"), days[1:])


def test_frames_of_dask_are_encoded_user_by_user():
    frames, pd = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    events = frames.from_pandas(pd.DataFrame(LOG), npartitions=4)
    encoder = fit_encoder(InteractionEncoder(), events)
    parts = [part.compute() for part in encode_parts(encoder, events)]
    whole = encoder.transform(LOG).toarray()
    assert sum(part.shape[0] for part in parts) == len(whole)
    found = np.vstack([part.toarray() for part in parts])
    assert_array_equal(found[np.lexsort(found.T)], whole[np.lexsort(whole.T)])
    learned = fit_parts(PopularityRecommender(), encode_parts(encoder, events))
    assert_allclose(learned.popularity_, (whole > 0).mean(axis=0), rtol=1e-6)


def test_parts_get_what_the_whole_gets(tmp_path):
    path = tmp_path / "ease.model"
    model = EASERecommender().fit(X)
    save(model, path)
    found = [part.compute() for part in recommend_parts(path, parts_of(X), n_recommendations=3)]
    items, scores = (np.concatenate(each) for each in zip(*found, strict=True))
    expected = recommend(model, X, n_recommendations=3)
    assert_array_equal(items, expected[0])
    assert_allclose(scores, expected[1], rtol=1e-6)
    save(PopularityRecommender().fit(X), path)
    (part,) = recommend_parts(path, [X[:2]], n_recommendations=1)
    assert_allclose(
        part.compute()[1].max(), np.sort(PopularityRecommender().fit(X).popularity_)[-1]
    )


def test_services_answer_in_tables(tmp_path):
    encoder = InteractionEncoder().fit(LOG)
    service = RecommendationService(EASERecommender().fit(encoder.transform(LOG)), encoder)
    service.save(tmp_path / "a.service")
    of_user = [{n: c[LOG["user"] == user] for n, c in LOG.items()} for user in (3, 5)]
    found = [part.compute() for part in recommend_parts(tmp_path / "a.service", of_user)]
    for log, table in zip(of_user, found, strict=True):
        assert_array_equal(table["item"], service.recommend(history=log)["item"])


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", None])
def test_parts_without_content_get_nothing(library, tmp_path):
    encoder = InteractionEncoder().fit(LOG)
    service = RecommendationService(EASERecommender().fit(encoder.transform(LOG)), encoder)
    service.save(tmp_path / "a.service")
    module = library and pytest.importorskip(library)
    table = {"pyarrow": "table"}.get(library, "DataFrame")
    log = getattr(module, table)(LOG) if library else LOG
    parts = [log[:0] if library else {n: c[:0] for n, c in LOG.items()}, log]
    empty, whole = (part.compute() for part in recommend_parts(tmp_path / "a.service", parts))
    assert type(empty) is type(whole)
    assert len(empty["item"]) == 0 < len(whole["item"])
    save(service.model, tmp_path / "a.model")
    rows = encode_parts(encoder, parts)
    (empty, scores), (items, _) = (
        part.compute() for part in recommend_parts(tmp_path / "a.model", rows, n_recommendations=2)
    )
    assert empty.shape == scores.shape == (0, 2)
    assert (empty.dtype, scores.dtype) == (items.dtype, np.float32)


@pytest.mark.slow
def test_a_cluster_gives_the_same(tmp_path):
    """Processes of their own: searches by joblib, sums, the vocabulary and recommendations."""
    import joblib

    distributed = pytest.importorskip("distributed")
    grid = {"regularization": [1.0, 5.0, 20.0]}
    expected = GridSearchCV(EASERecommender(), grid, cv=3).fit(X)
    path = tmp_path / "ease.model"
    save(expected.best_estimator_, path)
    with (
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
        dask.config.set(scheduler=client),
    ):
        with joblib.parallel_backend("dask"):
            search = GridSearchCV(EASERecommender(), grid, cv=3).fit(X)
        learned = fit_parts(EASERecommender(), parts_of(X))
        als = fit_parts(ALSRecommender(**ALS), parts_of(X))
        encoder = fit_encoder(InteractionEncoder(), logs_of(LOG))
        found = recommend_parts(path, parts_of(X), n_recommendations=5)
        found = client.gather(client.compute(found))
    scores, expected_scores = (one.cv_results_["mean_test_score"] for one in (search, expected))
    assert_array_equal(scores, expected_scores)
    assert search.best_params_ == expected.best_params_
    assert_allclose(learned.coef_, EASERecommender(solver="primal").fit(X).coef_, atol=1e-6)
    factors = ALSRecommender(**ALS).fit(X).item_factors_
    assert_allclose(als.item_factors_, factors, rtol=1e-5, atol=1e-6)
    assert_array_equal(encoder.items_, InteractionEncoder().fit(LOG).items_)
    items = np.concatenate([items for items, _ in found])
    assert_array_equal(items, recommend(expected, X, n_recommendations=5)[0])
