# SPDX-License-Identifier: BSD-3-Clause
"""Everyday jobs, each in ten lines of a user's code at most, on logs of which the answer is known.

Even users like even films and odd users like odd films, and so with books.
"""

import ast
import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sktransrec import (
    ALSRecommender,
    Autoencoder,
    ContentKNNRecommender,
    EASERecommender,
    GraphFilterRecommender,
    HistoryRecommender,
    InteractionEncoder,
    ItemFeatures,
    ItemKNNRecommender,
    RecommendationService,
    RidgeRecommender,
    StackingRecommender,
    TransitionRecommender,
    VotingRecommender,
    align_domains,
    compare,
    ranking_scorer,
    to_onnx,
    transfer_learning_curve,
)
from sktransrec.base import SupervisedRecommender
from sktransrec.inspection import MetricCurveDisplay, TransferLearningCurveDisplay

TITLES = {f"film-{i}": f"The {'even' if i % 2 == 0 else 'odd'} film, part {i}" for i in range(16)}
KNN = ItemKNNRecommender(n_neighbors=5)
TINY = {
    **{"n_components": 2, "hidden_layer_sizes": (), "epochs": 2, "batch_size": 32},
    **{"run_eagerly": True, "random_state": 0},
}


def _log(kind, users, seed):
    """Return a log of what users like, with times: each one has most of the items of a parity."""
    rng = np.random.default_rng(seed)
    events = [
        (f"user-{user}", f"{kind}-{item}", time)
        for user in users
        for time, item in enumerate(rng.permutation(np.arange(user % 2, 16, 2))[:6])
    ]
    return pd.DataFrame(events, columns=["user", "item", "time"])


@pytest.fixture
def films():
    return _log("film", range(40), seed=0)


@pytest.fixture
def books():
    return _log("book", range(10, 50), seed=1)


def _parity(items):
    return {int(str(item).rpartition("-")[2]) % 2 for item in items}


def csv_to_a_saved_service(folder):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(pd.read_csv(folder / "events.csv"))
    score = ranking_scorer(holdout=0.2, random_state=0)
    search = GridSearchCV(ItemKNNRecommender(), {"n_neighbors": [7, 10]}, scoring=score, cv=2).fit(
        X
    )
    titles = pd.read_csv(folder / "titles.csv", index_col="item")["title"]
    RecommendationService(search, encoder, item_names=titles).save(folder / "films.service")


def test_from_a_csv_by_a_search_to_titles_in_a_fresh_process(films, run_in_new_process, tmp_path):
    films.to_csv(tmp_path / "events.csv", index=False)
    titles = pd.DataFrame({"item": TITLES.keys(), "title": TITLES.values()})
    titles.to_csv(tmp_path / "titles.csv", index=False)
    csv_to_a_saved_service(tmp_path)
    program = """
        from sktransrec import RecommendationService
        service = RecommendationService.load(path)
        shown = service.recommend(baskets=[["film-3"]], n_recommendations=3)["name"]
        assert [title.startswith("The odd film") for title in shown] == [True] * 3
    """
    assert run_in_new_process(program, path=tmp_path / "films.service") == 0


def two_shops(films, books):
    shops = align_domains(films, books)
    model = RidgeRecommender(1.0).fit(shops.X_source, shops.X_target)
    service = RecommendationService(model, shops.source_encoder, item_encoder=shops.target_encoder)
    return service.recommend(["user-3"], films, n_recommendations=4)


def test_films_tell_which_books_a_new_customer_likes(films, books):
    assert "user-3" not in set(books["user"])
    found = two_shops(films, books)
    assert list(found["item"].str.startswith("book")) == [True] * 4
    assert _parity(found["item"]) == {1}


def new_title(films):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(films)
    titles = ItemFeatures([TITLES[item] for item in encoder.items_], ids=encoder.items_)
    service = RecommendationService(ContentKNNRecommender(titles).fit(X), encoder)
    service.add_items(ItemFeatures(["The odd film, part 17"], ids=["film-17"]))
    return service.recommend(["user-3"], films, n_recommendations=3)


def test_a_new_title_is_recommended_without_another_fit(films):
    assert "film-17" in set(new_title(films)["item"])


def sessions(films):
    encoder = InteractionEncoder(time="time").fit(films)
    X = encoder.sequences(films)
    members = [("recent", HistoryRecommender(KNN)), ("next", TransitionRecommender())]
    service = RecommendationService(VotingRecommender(members).fit(X), encoder)
    return service.recommend(baskets=[["film-2", "film-6"]], n_recommendations=3)


def test_sessions_without_a_user(films):
    assert _parity(sessions(films)["item"]) == {0}


def scratch_frozen_or_fine_tuned(films, books):
    shops = align_domains(films, books)
    trained = FrozenEstimator(Autoencoder(**TINY).fit(shops.X_source_only))
    pipe = make_pipeline(Autoencoder(**TINY), RidgeRecommender(1.0))
    grid = [
        {"autoencoder": [trained]},
        {"autoencoder__pretrained": [None, trained], "autoencoder__verbose": [1]},
    ]
    search = GridSearchCV(pipe, grid, scoring=ranking_scorer(k=3), cv=2, refit=False, verbose=2)
    return search.fit(shops.X_source, shops.X_target)


@pytest.mark.slow
def test_a_search_over_scratch_frozen_and_fine_tuned_shows_its_progress(films, books, capfd):
    pytest.importorskip("scikeras")
    search = scratch_frozen_or_fine_tuned(films, books)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    shown = capfd.readouterr()
    assert "[CV] END" in shown.out
    assert "100%" in shown.err


def factors_as_a_frame(films):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(films)
    model = ALSRecommender(2, random_state=0)
    return model.set_output(transform="pandas").fit(X).transform(X)


def test_set_output_names_the_factors(films):
    frame = factors_as_a_frame(films)
    assert list(frame.columns) == ["alsrecommender0", "alsrecommender1"]
    assert len(frame) == 40


@pytest.fixture
def service(films):
    encoder = InteractionEncoder()
    model = KNN.fit(encoder.fit_transform(films))
    return RecommendationService(model, encoder, item_names=TITLES)


def test_similar_items_by_id(service):
    found = service.similar(["film-4"], n_similar=3)
    assert _parity(found["item"]) == {0}
    assert list(found["name"]) == [TITLES[item] for item in found["item"]]


def test_why_an_item_is_recommended_and_why_another_is_not(service, films):
    why = service.explain(["user-3"], films, n_recommendations=1)
    mine = set(films["item"][films["user"] == "user-3"])
    assert set(why["because"]) <= mine
    seen = service.trace(["user-3"], films, items=[min(mine), "film-99"])
    assert list(seen["removed_by"]) == ["seen", "unknown"]


def several_metrics(films):
    X = InteractionEncoder().fit_transform(films)
    metrics = ranking_scorer(["ndcg", "recall", "coverage"], k=[3, 5])
    return cross_validate(KNN, X, scoring=metrics, cv=2)


def test_several_metrics_in_one_pass(films):
    found = several_metrics(films)
    assert {"test_ndcg@3", "test_recall@5", "test_coverage@5"} <= set(found)
    assert (found["test_ndcg@3"] > 0.3).all()


def five_models(films):
    X = InteractionEncoder().fit_transform(films)
    models = {
        "neighbours": KNN,
        "EASE": EASERecommender(),
        "ALS": ALSRecommender(2, random_state=0),
        "graph filter": GraphFilterRecommender(2, random_state=0),
        "popularity": None,
    }
    return compare(models, X, k=[1, 3], cv=2, random_state=0)


def test_five_models_with_intervals_and_their_curve(films):
    comparison = five_models(films)
    assert len(comparison.models) == 5
    low, _ = comparison.differences("NDCG@3")["EASE"].interval
    assert low > 0
    mpl = pytest.importorskip("matplotlib")
    mpl.use("agg")
    assert len(MetricCurveDisplay.from_comparison(comparison).lines_) == 5


def curves_in_both_directions(films, books):
    curves = {}
    for name, logs in {"films → books": (films, books), "books → films": (books, films)}.items():
        shops = align_domains(*logs)
        curves[name] = transfer_learning_curve(
            {"with the source": RidgeRecommender(1.0), "popularity": None},
            *(shops.X_source, shops.X_target),
            **{"train_sizes": [0.5, 1.0], "cv": 2, "k": 3, "random_state": 0},
        )
    return TransferLearningCurveDisplay.from_curves(curves)


def test_learning_curves_in_both_directions(films, books):
    mpl = pytest.importorskip("matplotlib")
    mpl.use("agg")
    titles = [ax.get_title() for ax in curves_in_both_directions(films, books).figure_.axes]
    assert titles == ["films → books", "books → films"]


class TorchRecommender(SupervisedRecommender):
    """A linear map, learned by torch."""

    def _fit(self, X, y):
        torch = pytest.importorskip("torch")
        X, y = (torch.from_numpy(one.toarray()) for one in (X, y))
        self.coef_ = torch.linalg.lstsq(X.T @ X + torch.eye(X.shape[1]), X.T @ y).solution.numpy()

    def _score_rows(self, X):
        return X @ self.coef_


def test_a_model_of_torch_is_a_recommender(films, books):
    pytest.importorskip("torch")
    shops = align_domains(films, books)
    model = TorchRecommender().fit(shops.X_source, shops.X_target)
    ridge = RidgeRecommender(1.0, fit_intercept=False).fit(shops.X_source, shops.X_target)
    expected = ridge.decision_function(shops.X_source)
    np.testing.assert_allclose(model.decision_function(shops.X_source), expected, atol=1e-4)


def boosted_ranker(films, classifier):
    X = InteractionEncoder().fit_transform(films)
    members = [("neighbours", KNN), ("EASE", EASERecommender())]
    stack = StackingRecommender(members, classifier, n_candidates=5, random_state=0)
    return ranking_scorer("recall", k=5, holdout=0.2, random_state=0)(stack.fit(X), X)


@pytest.mark.parametrize("library", ["sklearn", "lightgbm"])
def test_a_boosted_classifier_orders_the_items_of_two_models(films, library):
    classifier = HistGradientBoostingClassifier(max_iter=5)
    if library == "lightgbm":
        lightgbm = pytest.importorskip("lightgbm")
        classifier = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1)
    assert boosted_ranker(films, classifier) > 0.5


def encode(texts):
    """Stand for the `encode` of a sentence encoder: a vector for each text."""
    return np.array([[float("even" in text), float("odd" in text), 0.1] for text in texts])


def own_sentence_encoder(films):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(films)
    titles = ItemFeatures([TITLES[item] for item in encoder.items_], ids=encoder.items_)
    model = ContentKNNRecommender(titles, transformer=encode).fit(X)
    return RecommendationService(model, encoder).recommend(baskets=[["film-5"]])


def test_an_encoder_of_ones_own_reads_the_titles(films):
    assert _parity(own_sentence_encoder(films)["item"][:7]) == {1}


def vectors_for_an_index(X):
    model = ALSRecommender(3, random_state=0).fit(X)
    return model.transform(X), model.item_factors_


def test_an_index_finds_what_the_model_recommends(films):
    X = InteractionEncoder().fit_transform(films)
    rows, items = vectors_for_an_index(X)
    expected = ALSRecommender(3, random_state=0).fit(X).decision_function(X)
    np.testing.assert_allclose(rows @ items.T, expected, atol=1e-5)
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexFlatIP(items.shape[1])
    index.add(np.ascontiguousarray(items))
    _, found = index.search(rows, 1)
    np.testing.assert_allclose(expected[np.arange(40), found[:, 0]], expected.max(axis=1))


def as_onnx(films, path):
    X = InteractionEncoder().fit_transform(films)
    model = EASERecommender(solver="primal").fit(X)
    to_onnx(model, path, n_recommendations=5)
    return model, X


def test_a_linear_model_runs_as_onnx(films, tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model, X = as_onnx(films, tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    X = X.toarray()
    items, scores = session.run(None, {"rows": X, "excluded": X > 0})
    expected_items, expected_scores = model.recommend(X, n_recommendations=5)
    np.testing.assert_array_equal(items, expected_items)
    np.testing.assert_allclose(scores, expected_scores, atol=1e-5)


def web_service(service):
    from fastapi import FastAPI

    app = FastAPI()

    @app.post("/recommend")
    def recommend_to(basket: list[str], n_recommendations: int = 10):
        found = service.recommend(baskets=[basket], n_recommendations=n_recommendations)
        return [{"item": item, "name": name} for item, name in found[["item", "name"]].values]

    return app


def test_a_web_service(service):
    client = pytest.importorskip("fastapi.testclient").TestClient(web_service(service))
    answer = client.post("/recommend?n_recommendations=2", json=["film-7"]).json()
    assert _parity(one["item"] for one in answer) == {1}


def same_library(events):
    encoder = InteractionEncoder()
    service = RecommendationService(KNN.fit(encoder.fit_transform(events)), encoder)
    return service.recommend(history=events, n_recommendations=2)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_come_back_in_the_library_they_came_in(films, library):
    pytest.importorskip(library)
    import narwhals as nw

    columns = films.to_dict("list")
    events = nw.from_dict(columns, backend=library).to_native()
    found = same_library(events)
    assert isinstance(found, type(events))
    expected = same_library(films)
    assert nw.from_native(found)["item"].to_list() == list(expected["item"])


def search_on_a_cluster(X):
    import joblib
    from dask.distributed import Client

    with Client(processes=False, dashboard_address=":0"), joblib.parallel_config("dask"):
        score = ranking_scorer(holdout=0.2, random_state=0)
        grid = {"n_neighbors": [2, 5]}
        return GridSearchCV(ItemKNNRecommender(), grid, scoring=score, cv=2).fit(X)


def test_a_search_on_dask(films):
    pytest.importorskip("dask.distributed")
    search = search_on_a_cluster(InteractionEncoder().fit_transform(films))
    assert search.best_params_["n_neighbors"] in (2, 5)


def another_market(large, small):
    encoder = InteractionEncoder()
    logs = [log.assign(user=name + log["user"]) for name, log in (("ca-", large), ("uk-", small))]
    X = encoder.fit_transform(pd.concat(logs))
    service = RecommendationService(EASERecommender().fit(X), encoder)
    sold_here = small["item"].unique()
    return service.recommend(["uk-user-3"], logs[1], candidates=sold_here, n_recommendations=2)


def test_one_market_helps_another_with_the_same_items(films):
    small = _log("film", range(6), seed=3)
    found = another_market(films, small)
    assert _parity(found["item"]) == {1}
    assert set(found["item"]) <= set(small["item"])


JOBS = [
    *(csv_to_a_saved_service, two_shops, new_title, sessions, scratch_frozen_or_fine_tuned),
    *(factors_as_a_frame, several_metrics, five_models, curves_in_both_directions),
    *(TorchRecommender, boosted_ranker, own_sentence_encoder, vectors_for_an_index),
    *(as_onnx, web_service, same_library, search_on_a_cluster, another_market),
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
def test_a_job_takes_ten_lines_at_most(job):
    (tree,) = ast.parse(inspect.getsource(job)).body
    lines = inspect.getsource(job).splitlines()[tree.body[0].lineno - 1 :]
    assert len([line for line in lines if line.strip()]) <= 10
