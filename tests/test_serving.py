# SPDX-License-Identifier: BSD-3-Clause
"""A service answers in ids what the model answers in columns."""

import pickle
import sys
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler

import sktransrec
from sktransrec import (
    CollectiveMFRecommender,
    ContentKNNRecommender,
    DecayedHistory,
    EASERecommender,
    HistoryRecommender,
    HybridRecommender,
    InteractionEncoder,
    ItemFeatures,
    ItemKNNRecommender,
    NextItemRecommender,
    PopularityRecommender,
    RecommendationService,
    RidgeRecommender,
    TransitionRecommender,
    VotingRecommender,
    align_domains,
    compare,
    ranking_scorer,
    recommend,
    stack_domains,
)
from sktransrec.inspection import explain

pytestmark = pytest.mark.usefixtures("few_draws")

NAMES = {f"film-{i}": f"Title {i}" for i in range(11)}


@pytest.fixture(scope="module")
def log():
    """Return a log of even users who like even films, and odd users who like odd films."""
    rng = np.random.default_rng(0)
    rows, items = np.nonzero(rng.uniform(size=(40, 12)) < 0.6)
    likes = (rows + items) % 2 == 0
    users = [f"user-{row}" for row in rows[likes]]
    return pd.DataFrame({"user": users, "item": [f"film-{i}" for i in items[likes]]})


@pytest.fixture(scope="module")
def service(log):
    encoder = InteractionEncoder()
    model = ItemKNNRecommender().fit(encoder.fit_transform(log))
    return RecommendationService(model, encoder, item_names=NAMES)


def test_answers_are_those_of_the_model(service, log):
    users = ["user-7", "user-0"]
    found = service.recommend(users, log, n_recommendations=3)
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == ["user", "rank", "item", "name", "score"]
    X = service.encoder.transform(log, users=users)
    items, scores = recommend(service.model, X, n_recommendations=3)
    assert found["user"].tolist() == ["user-7"] * 3 + ["user-0"] * 3
    assert found["rank"].tolist() == [1, 2, 3] * 2
    assert_array_equal(found["item"], service.encoder.decode_items(items).ravel())
    assert_allclose(found["score"], scores.ravel())
    assert found["name"].tolist() == [NAMES.get(one) for one in found["item"]]
    everybody = service.recommend(history=log, n_recommendations=1)
    assert sorted(everybody["user"]) == sorted(log["user"].unique())


def test_new_users_unknown_items_and_empty_rows(service):
    history = {"user": ["new", "new"], "item": ["film-2", "film-99"]}
    with pytest.warns(UserWarning, match="1 items are unknown .*: 'film-99'"):
        found = service.recommend(["new", "nobody"], history, n_recommendations=4)
    assert isinstance(found, dict)
    of_new, of_nobody = found["item"][:4], found["item"][4:]
    assert all(int(item[5:]) % 2 == 0 for item in of_new)
    assert "film-2" not in of_new
    popularity = service.model.popularity_
    most_popular = service.item_ids_[np.argsort(-popularity, kind="stable")[:4]]
    assert_array_equal(of_nobody, most_popular)
    without_history = service.recommend(["nobody"], n_recommendations=4)
    assert_array_equal(without_history["item"], of_nobody)


def test_baskets_are_rows_without_users(service, log):
    basket = log["item"][log["user"] == "user-3"].tolist()
    found = service.recommend(baskets=[basket, []], n_recommendations=2)
    expected = service.recommend(["user-3"], log, n_recommendations=2)
    assert_array_equal(found["item"][:2], expected["item"])
    assert found["user"].tolist() == [0, 0, 1, 1]


def test_what_is_in_stock_and_what_is_excluded(service, log):
    stock = ["film-1", "film-5", "film-77"]
    found = service.recommend(baskets=[["film-1"]], candidates=stock, n_recommendations=2)
    assert found["item"].tolist() == ["film-5"]
    seen_too = service.recommend(
        baskets=[["film-1"]], candidates=stock, exclude_seen=False, n_recommendations=2
    )
    assert set(seen_too["item"]) == {"film-1", "film-5"}
    exclude = {"user": ["user-1"], "item": ["film-5"]}
    without = service.recommend(["user-1"], log, exclude=exclude, n_recommendations=12)
    assert "film-5" not in set(without["item"])
    with pytest.raises(ValueError, match="knows none of the candidates"):
        service.recommend(baskets=[[]], candidates=["film-77"])


def test_reasons_are_those_of_the_model_by_id_and_name(service, log):
    found = service.explain(["user-0", "user-1"], log, n_recommendations=2, n_reasons=2)
    assert list(found.columns) == [
        *("user", "item", "name", "score", "because", "because_name", "contribution")
    ]
    for user, lines in found.groupby("user"):
        best = service.recommend([user], log, n_recommendations=2)
        assert lines["item"].iloc[0] == best["item"].iloc[0]
        assert set(lines["item"]) <= set(best["item"])
        assert set(lines["because"]) <= set(log["item"][log["user"] == user])
        X = service.encoder.transform(log, users=[user])
        line = lines.iloc[0]
        item, reason = service.encoder.encode_items([line["item"], line["because"]])
        why = explain(service.model, X, [item])
        (place,) = np.flatnonzero(why.columns == reason)
        assert_allclose(line["contribution"], why.contributions[0, place], rtol=1e-6)
        assert line["because_name"] == NAMES.get(line["because"])
    of_basket = service.explain(baskets=[["film-4"], []], items=["film-2"], n_reasons=1)
    assert of_basket["because"].tolist() == ["film-4"]


def test_a_trace_says_why_an_item_is_missing(service, log):
    found = service.trace(["user-0"], log, n_recommendations=2)
    recommended = service.recommend(["user-0"], log, n_recommendations=2)
    for column in ("item", "name", "rank", "score"):
        assert list(found[column]) == list(recommended[column])
    seen = log["item"][list(log["user"]).index("user-0")]
    found = service.trace(["user-0", "new"], log, items=["no such film", seen])
    assert list(found["item"]) == ["no such film", seen] * 2
    assert list(found["removed_by"]) == ["unknown", "seen", "unknown", ""]
    assert list(found["row_path"])[3] == "popularity"
    assert list(service.trace(["new"], items=["no such film"])["rank"]) == [0]


def test_ids_of_several_types_are_kept_in_a_trace():
    log = {"user": [1, 1, "b", "b", "b"], "item": [3, "s10", "s10", 7, 3]}
    encoder = InteractionEncoder()
    model = PopularityRecommender().fit(encoder.fit_transform(log))
    service = RecommendationService(model, encoder, item_names={3: "three", 7: "seven"})
    found = service.trace([1, "b"], log, items=[3, "s10", 7])
    assert list(found["user"]) == [1, 1, 1, "b", "b", "b"]
    assert list(found["item"]) == [3, "s10", 7] * 2
    assert list(found["name"]) == ["three", None, "seven"] * 2


def _service_with_content(ids):
    """Return a service of a content model, and the encoder of its log."""
    log = {"user": [1, 1, 2, 2, 3, 3], "item": ["a", "b", "b", "c", "c", "a"]}
    encoder = InteractionEncoder()
    X = encoder.fit_transform(log)
    features = ItemFeatures(np.eye(4)[["abc".index(one) for one in ids]], ids=ids)
    return RecommendationService(ContentKNNRecommender(features).fit(X), encoder), features


def test_a_model_with_the_items_in_another_order_is_refused():
    service, features = _service_with_content(["a", "b", "c"])
    assert service.item_ids_.tolist() == ["a", "b", "c"]
    with pytest.raises(ValueError, match="column 0 for the item 'c', and the encoder for 'a'"):
        _service_with_content(["c", "b", "a"])
    moved = service.model.with_item_features(features.of(["b", "a", "c"]))
    vote = VotingRecommender([("content", service.model)]).fit(np.eye(3))
    for model in (moved, vote.with_item_features(features.of(["b", "a", "c"]))):
        with pytest.raises(ValueError, match=r"item_features\.of\(encoder\.items_\)"):
            RecommendationService(model, service.encoder)


@pytest.mark.parametrize("by_service", [True, False])
@pytest.mark.parametrize("wrapped", [False, True])
def test_later_items_count_in_baskets_and_are_not_offered_again(wrapped, by_service):
    """Only the content model alone reads them; a vote reads what `fit` has seen."""
    service, _ = _service_with_content(["a", "b", "c"])
    if wrapped:
        members = [("content", service.model), ("neighbors", ItemKNNRecommender())]
        vote = VotingRecommender(members).fit(np.eye(3))
        service = RecommendationService(vote, service.encoder)
    later = ItemFeatures(np.eye(4)[[3, 3, 0]], ids=["new", "alike", "like a"])
    if by_service:
        service.add_items(later)
    else:
        service = RecommendationService(service.model.with_items(later), service.encoder)
    found = service.recommend(baskets=[["a", "new"], ["c"]], n_recommendations=6)
    of_first = found["item"][found["user"] == 0].tolist()
    assert set(of_first) == {"b", "c", "alike", "like a"}
    assert wrapped or set(of_first[:2]) == {"alike", "like a"}
    log = {"user": [9, 9], "item": ["a", "new"]}
    assert service.recommend(history=log, n_recommendations=6)["item"].tolist() == of_first
    excluded = service.recommend([9], log, exclude={"user": [9], "item": ["alike"]})
    assert set(excluded["item"]) == {"b", "c", "like a"}
    with_seen = service.recommend(history=log, exclude_seen=False, n_recommendations=6)
    assert len(with_seen["item"]) == 6
    (removed_by,) = service.trace([9], log, items=["new"])["removed_by"]
    assert removed_by == "seen"
    assert service.explain([9], log, items=["like a"])["because"].tolist()[0] == "a"


class Doubled(TransformerMixin, BaseEstimator):
    """A step of someone else, which counts no columns."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X * 2


@pytest.mark.parametrize("step", [Doubled(), "passthrough"])
def test_any_step_may_come_first(step):
    log = {"user": [1, 1, 2, 2], "item": ["a", "b", "b", "c"]}
    encoder = InteractionEncoder()
    X = encoder.fit_transform(log)
    features = ItemFeatures(np.eye(3), ids=encoder.items_)
    for recommender in (EASERecommender(), ContentKNNRecommender(features)):
        model = Pipeline([("first", step), ("last", recommender)]).fit(X)
        service = RecommendationService(model, encoder)
        assert len(service.recommend(baskets=[["a"]])["item"]) == 2
    service.add_items(ItemFeatures([[1.0, 0, 0]], ids=["new"]))
    assert set(service.recommend(baskets=[["a", "new"]])["item"]) == {"b", "c"}


def test_a_service_is_made_again_of_its_parts():
    service, _ = _service_with_content(["a", "b", "c"])
    later = ItemFeatures(np.eye(4)[[3]], ids=["new"])
    service.add_items(later)
    again = RecommendationService(service.model, service.encoder)
    for one in (service, again, pickle.loads(pickle.dumps(service))):
        assert set(one.recommend(baskets=[["a", "new"]])["item"]) == {"b", "c"}
    again.add_items(ItemFeatures(np.eye(4)[[0]], ids=["newer"]))
    assert set(again.recommend(baskets=[["a", "new"]])["item"]) == {"b", "c", "newer"}


def test_what_the_encoder_learns_later_changes_nothing():
    service, _ = _service_with_content(["a", "b", "c"])
    service.add_items(ItemFeatures(np.eye(4)[[3, 0]], ids=["e", "d"]))
    before = service.recommend(baskets=[["d"], ["e"]])
    service.encoder.partial_fit({"user": [4], "item": ["d"]})
    after = service.recommend(baskets=[["d"], ["e"]])
    for name, column in before.items():
        assert_array_equal(after[name], column)
    service.encoder.set_params(duplicates="max")
    twice, once = (service.recommend(baskets=[each])["score"] for each in (["a", "a"], ["a"]))
    assert_array_equal(twice, once)


@pytest.mark.filterwarnings("ignore:The code of .* collapsed")
def test_networks_with_item_features_are_served():
    log = {"user": [1, 1, 1, 2, 2, 2, 3, 3], "item": ["a", "b", "c", "b", "c", "a", "c", "a"]}
    encoder = InteractionEncoder().fit(log)
    features = ItemFeatures(np.eye(3), ids=["a", "b", "c"])
    options = {"n_layers": 1, "epochs": 1, "run_eagerly": True, "random_state": 0}
    options |= {"architecture": "cnn", "item_features": features}
    H = encoder.sequences(log, max_length=4)
    service = RecommendationService(NextItemRecommender(**options).fit(H), encoder)
    assert service.recommend(baskets=[["a", "b"]])["item"].tolist() == ["c"]
    options["item_features"] = features.of(["c", "a", "b"])
    with pytest.raises(ValueError, match="column 0 for the item 'c'"):
        RecommendationService(NextItemRecommender(**options).fit(H), encoder)


def test_values_of_zero_in_baskets_are_no_history():
    log = {"user": [1, 1, 2, 2], "item": ["a", "b", "b", "c"], "v": [1, 2, 1, 1]}
    encoder = InteractionEncoder(value="v").fit(log)
    histories = encoder.sequences(log, max_length=3)
    model = HistoryRecommender(EASERecommender(), decay=0.5).fit(histories)
    service = RecommendationService(model, encoder)
    found = service.recommend(baskets=[{"a": 1, "b": 0}, {"a": 1}, {}])
    first, second = (found["item"][found["user"] == user].tolist() for user in (0, 1))
    assert first == second


def test_numbers_of_columns_are_no_order_of_items():
    encoder = InteractionEncoder().fit({"user": ["a"] * 3, "item": [2, 1, 0]})
    encoder.partial_fit({"user": ["a", "a"], "item": [4, 3]}).partial_fit(
        {"user": ["a"], "item": [5]}
    )
    model = ContentKNNRecommender(ItemFeatures(np.eye(6))).fit(np.eye(6))
    service = RecommendationService(model, encoder)
    assert service.item_ids_.tolist() == encoder.items_.tolist()


def test_baskets_are_merged_as_the_encoder_says():
    log = {"user": [1, 1, 2, 2], "item": [1, 2, 2, 3], "stars": [5, 1, 4, 4]}
    encoder = InteractionEncoder(duplicates="max")
    service = RecommendationService(EASERecommender(1.0).fit(encoder.fit_transform(log)), encoder)
    twice, once = (service.recommend(baskets=[each])["score"] for each in ([1, 1, 2], [1, 2]))
    assert_array_equal(twice, once)
    encoder = InteractionEncoder(value="stars", duplicates="last")
    service = RecommendationService(EASERecommender(1.0).fit(encoder.fit_transform(log)), encoder)
    of_log = service.recommend(history={"user": [0, 0], "item": [1, 2], "stars": [2, 5]})
    of_basket = service.recommend(baskets=[{1: 2, 2: 5}])
    assert_array_equal(of_log["score"], of_basket["score"])
    assert len(service.recommend([7])["item"]) == 3
    with pytest.raises(ValueError, match="a dict from item ids to values"):
        service.recommend(baskets=[[1, 2]])
    for value in (-1, "x", np.nan, 1e39, None):
        with pytest.raises(ValueError, match="baskets holds the value"):
            service.recommend(baskets=[{1: value}])


def test_a_model_that_has_learned_more_items_needs_a_new_service():
    log = {"user": [1, 1, 2, 2], "item": [1, 2, 2, 3]}
    encoder = InteractionEncoder()
    model = ItemKNNRecommender().partial_fit(encoder.fit_transform(log))
    service = RecommendationService(model, encoder)
    later = {"user": [3, 3], "item": [3, 9]}
    model.partial_fit(encoder.partial_fit(later).transform(later))
    with pytest.raises(ValueError, match="make a new RecommendationService"):
        service.recommend([1], log)
    assert len(RecommendationService(model, encoder).recommend([1], log)["item"]) == 2


def test_similar_items_by_id(service):
    similar = service.similar(["film-4"], n_similar=3)
    assert similar["query"].tolist() == ["film-4"] * 3
    assert all(int(item[5:]) % 2 == 0 for item in similar["item"])
    assert similar["score"].is_monotonic_decreasing
    with pytest.raises(ValueError, match="items holds 'film-77'"):
        service.similar(["film-77"])
    with pytest.raises(ValueError, match="items holds 77, which"):
        service.similar([77])


@pytest.mark.parametrize("library", [pd, pl])
def test_tables_come_back_in_their_library(service, log, library):
    history = library.DataFrame({name: log[name].tolist() for name in log})
    found = service.recommend(history=history, n_recommendations=1)
    assert isinstance(found, library.DataFrame)


def test_pipelines_searches_and_votes(log):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(log)
    pipeline = make_pipeline(MaxAbsScaler(), EASERecommender(10.0))
    models = [
        pipeline.fit(X),
        GridSearchCV(pipeline, {"easerecommender__regularization": [1.0, 10.0]}, cv=2).fit(X),
        VotingRecommender([("a", ItemKNNRecommender()), ("b", PopularityRecommender())]).fit(X),
    ]
    for model in models:
        found = RecommendationService(model, encoder).recommend(["user-2"], log)
        items, _ = recommend(model, encoder.transform(log, users=["user-2"]))
        assert_array_equal(found["item"], encoder.decode_items(items[items >= 0]))


def test_histories_for_models_that_read_order(log):
    encoder = InteractionEncoder()
    encoder.fit(log)
    X = encoder.sequences(log)
    model = NextItemRecommender(
        "gru", n_components=4, n_layers=1, epochs=1, random_state=0, run_eagerly=True
    ).fit(X)
    service = RecommendationService(model, encoder)
    found = service.recommend(["user-0"], log, n_recommendations=2)
    items, _ = recommend(model, encoder.sequences(log, users=["user-0"], max_length=X.shape[1]))
    assert_array_equal(found["item"], encoder.decode_items(items[0, :2]))
    history = log["item"][log["user"] == "user-0"].tolist()
    of_basket = service.recommend(baskets=[history, []], n_recommendations=2)
    assert_array_equal(of_basket["item"][:2], found["item"])
    assert len(of_basket) == 4


def test_the_source_is_read_and_the_target_is_recommended(log):
    books = log.assign(item=log["item"].str.replace("film", "book"))
    domains = align_domains(log, books)
    model = RidgeRecommender(10.0).fit(domains.X_source, domains.X_target)
    service = RecommendationService(
        model, domains.source_encoder, item_encoder=domains.target_encoder
    )
    found = service.recommend(["user-1"], log, n_recommendations=3)
    assert all(item.startswith("book-") and int(item[5:]) % 2 for item in found["item"])
    exclude = {"user": ["user-1"] * 2, "item": list(found["item"][:2])}
    without = service.recommend(["user-1"], log, exclude=exclude, n_recommendations=1)
    assert without["item"].tolist() == [found["item"][2]]
    with pytest.raises(ValueError, match="their encoder as item_encoder"):
        RecommendationService(
            PopularityRecommender().fit(domains.X_target[:, :3]), domains.source_encoder
        )


def test_models_of_some_columns_recommend_these(log):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(log)
    columns = np.flatnonzero([one[-1] in "135" for one in encoder.items_])
    model = CollectiveMFRecommender(columns, n_components=4, random_state=0).fit(X)
    service = RecommendationService(model, encoder)
    assert_array_equal(service.item_ids_, encoder.items_[columns])
    found = service.recommend(["user-4"], log, n_recommendations=len(columns))
    assert set(found["item"]) <= set(encoder.items_[columns])
    excluded = {"user": ["user-4"], "item": [found["item"][0]]}
    without = service.recommend(["user-4"], log, exclude=excluded)
    assert found["item"][0] not in set(without["item"])


def test_later_items_are_recommended_without_learning_again(log):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(log)
    parity = np.array([int(one[5:]) % 2 for one in encoder.items_])
    features = ItemFeatures(np.column_stack([parity, 1 - parity]), ids=encoder.items_)
    model = HybridRecommender(item_features=features, random_state=0).fit(X)
    service = RecommendationService(model, encoder, item_names=NAMES)
    later = ItemFeatures([[1.0, 0.0], [0.0, 1.0]], ids=["film-21", "film-22"])
    assert service.add_items(later, {"film-21": "New odd"}) is service
    found = service.recommend(
        baskets=[["film-1", "film-3"]], candidates=["film-21", "film-22"], n_recommendations=2
    )
    assert found["item"].tolist() == ["film-21", "film-22"]
    assert found["name"][0] == "New odd"
    assert pd.isna(found["name"][1])
    assert model.n_items_ == len(encoder.items_)
    search = GridSearchCV(make_pipeline(MaxAbsScaler(), model), {}, cv=2).fit(X)
    of_search = RecommendationService(search, encoder).add_items(later)
    found = of_search.recommend(baskets=[["film-1", "film-3"]], candidates=["film-21", "film-22"])
    assert found["item"][0] == "film-21"
    with pytest.raises(AttributeError, match="ItemKNNRecommender cannot take later items"):
        RecommendationService(ItemKNNRecommender().fit(X), encoder).add_items(later)


def test_saved_services_answer_in_a_new_process(service, log, run_in_new_process, tmp_path):
    path = tmp_path / "films.service"
    service.save(path)
    expected = service.recommend(baskets=[["film-4"]], n_recommendations=2)["item"].tolist()
    program = """
        from sktransrec import RecommendationService
        service = RecommendationService.load(path, mmap_mode="r")
        found = service.recommend(baskets=[["film-4"]], n_recommendations=2)["item"].tolist()
        assert found == expected, found
    """
    assert run_in_new_process(program, path=path, expected=expected) == 0
    sktransrec.save({}, path)
    with pytest.raises(ValueError, match="holds a dict, not a RecommendationService"):
        RecommendationService.load(path)


def test_threads_get_the_same_answers(service, log):
    expected = service.recommend(history=log, n_recommendations=2)
    answers = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(service.recommend(history=log, n_recommendations=2))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    for answer in answers:
        pd.testing.assert_frame_equal(answer, expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Pass users, history or both"),
        ({"users": ["a"], "baskets": [[]]}, "Pass either baskets"),
        ({"users": ["a", "a"]}, "repeats 'a'"),
        ({"baskets": [[1]]}, None),
        ({"baskets": [["film-1"]], "exclude_seen": "no"}, "exclude_seen must be"),
        ({"baskets": [{"film-1": 2}]}, "The encoder reads no values"),
        ({"baskets": ["film-1"]}, r"pass a list of item ids for each, .*\[\['film-1'\]\]"),
        ({"baskets": [["film-1"]], "n_recommendations": "3"}, "n_recommendations must be"),
        ({"history": {"user": [], "item": []}}, "history has no events"),
        ({"baskets": []}, "baskets is empty"),
        ({"users": []}, "users is empty"),
    ],
)
def test_bad_arguments_are_named(service, arguments, message):
    if message is None:
        with pytest.warns(UserWarning, match="left out: 1"):
            service.recommend(**arguments)
        return
    with pytest.raises(ValueError, match=message):
        service.recommend(**arguments)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("recommend", {"baskets": [["10"]]}),
        ("recommend", {"baskets": [[10]], "candidates": ["10", "20"]}),
        ("trace", {"baskets": [[10]], "items": ["10", "20"]}),
        ("similar", {"items": ["10", "20"]}),
    ],
)
def test_integer_ids_given_as_strings_are_an_error(method, arguments):
    encoder = InteractionEncoder()
    X = encoder.fit_transform({"user": [1, 1, 2, 2], "item": [10, 20, 20, 30]})
    service = RecommendationService(EASERecommender().fit(X), encoder)
    with pytest.raises(ValueError, match="'10' of type str, but the known ids are of type int"):
        getattr(service, method)(**arguments)
    assert_array_equal(encoder.encode_items([30, 99, 10]), [2, -1, 0])
    assert isinstance(X, sp.csr_array)


@pytest.mark.parametrize("decay", [None, 0.5])
def test_what_a_user_had_before_the_width_of_the_model_is_known(decay):
    rng = np.random.default_rng(0)
    log = pd.DataFrame(
        {
            "user": np.repeat(np.arange(30), 9),
            "item": rng.integers(20, size=270),
            "time": range(270),
        }
    )
    encoder = InteractionEncoder(time="time").fit(log)
    n_items = encoder.n_items_
    model = TransitionRecommender(n_items=n_items, decay="auto" if decay is None else decay)
    if decay is not None:
        model = HistoryRecommender(ItemKNNRecommender(), n_items=n_items, decay=decay)
    X = encoder.sequences(log, max_length=3)
    service = RecommendationService(model.fit(X), encoder)
    pairs = set(zip(log["user"], log["item"], strict=True))
    found = service.recommend(history=log, n_recommendations=4)
    assert not pairs & set(zip(found["user"], found["item"], strict=True))
    again = service.recommend(history=log, n_recommendations=4, exclude_seen=False)
    items, scores = model.recommend(X, n_recommendations=4, exclude_seen=False)
    assert_array_equal(again["item"], encoder.decode_items(items).ravel())
    assert_allclose(again["score"], scores.ravel(), rtol=1e-6)
    basket = log.loc[log["user"] == 3, "item"].tolist()
    assert not set(basket) & set(service.recommend(baskets=[basket])["item"])
    traced = service.trace(baskets=[basket], items=list(dict.fromkeys(basket)))
    assert (traced["removed_by"] != "").all()


def test_a_model_of_a_table_with_other_columns_is_refused(log):
    table = pd.crosstab(log["user"], log["item"]).clip(upper=1)
    encoder = InteractionEncoder().fit(log)
    RecommendationService(EASERecommender().fit(table), encoder)
    by_popularity = table[table.sum().sort_values(kind="stable").index]
    with pytest.raises(ValueError, match="the same items in another order"):
        RecommendationService(EASERecommender().fit(by_popularity), encoder)


def test_steps_that_move_columns_are_refused(log):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(log)
    kept = make_column_transformer((MaxAbsScaler(), slice(0, 4)), remainder="passthrough")
    moved = make_column_transformer((MaxAbsScaler(), slice(4, 8)), remainder="passthrough")
    for steps in (kept, make_pipeline(kept, MaxAbsScaler())):
        RecommendationService(make_pipeline(steps, EASERecommender()).fit(X), encoder)
    for steps in (moved, make_pipeline(MaxAbsScaler(), moved)):
        pipe = make_pipeline(steps, EASERecommender())
        with pytest.raises(ValueError, match=r"in another order, with .* first"):
            RecommendationService(pipe.fit(X), encoder)
        with pytest.raises(ValueError, match="in another order"):
            ranking_scorer(holdout=0.2, random_state=0)(pipe, X)
        failed = compare({"moved": pipe}, X, cv=2, random_state=0)
        assert "in another order" in failed.errors["moved"]


def test_pairs_alone_may_be_excluded(log):
    events = log.assign(weight=2.0, time=range(len(log)))
    encoder = InteractionEncoder(value="weight", time="time", duplicates="last")
    model = EASERecommender().fit(encoder.fit_transform(events))
    service = RecommendationService(model, encoder)
    found = service.recommend(["user-1"], events, n_recommendations=2)
    pairs = found[["user", "item"]]
    for exclude in (pairs, pd.concat([pairs, pairs]), pairs.assign(weight=0.0)):
        left = service.recommend(["user-1"], events, exclude=exclude)
        assert not set(left["item"]) & set(found["item"])


def test_items_are_added_while_others_ask(log):
    """Each answer is of one moment: of the model, the ids and the columns before or after."""
    encoder = InteractionEncoder()
    X = encoder.fit_transform(log)
    features = ItemFeatures(np.eye(X.shape[1]), ids=encoder.items_)
    service = RecommendationService(ContentKNNRecommender(features).fit(X), encoder)
    stops, errors = threading.Event(), []

    def ask():
        while not stops.is_set():
            try:
                found = service.recommend(baskets=[["film-1", "film-3"]], n_recommendations=3)
                assert len(found) == 3
            except Exception as error:
                errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=ask) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        for number in range(25):
            service.add_items(ItemFeatures(np.eye(X.shape[1])[:1], ids=[f"later-{number}"]))
    finally:
        stops.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert not errors


def test_names_of_ids_of_another_type_are_refused():
    encoder = InteractionEncoder()
    X = encoder.fit_transform({"user": [1, 1, 2], "item": [3, 4, 3]})
    model = PopularityRecommender().fit(X)
    RecommendationService(model, encoder, item_names={3: "tea", 9: "not sold any more"})
    with pytest.raises(ValueError, match="item_names has a name for '3' of type str"):
        RecommendationService(model, encoder, item_names={"3": "tea"})
    for names in ({9: "not sold any more"}, {"tea": 3}):
        with pytest.raises(ValueError, match="but for no known id, such as 3"):
            RecommendationService(model, encoder, item_names=names)


def test_a_model_of_too_few_items_is_told_how_many_there_are(log):
    events = log.assign(time=range(len(log)))
    encoder = InteractionEncoder(time="time").fit(events)
    X = encoder.sequences(events)
    X[encoder.n_items_ == X] = 1
    with pytest.raises(ValueError, match=f"fit it with n_items={encoder.n_items_}"):
        RecommendationService(TransitionRecommender().fit(X), encoder)


def test_reasons_and_traces_know_the_whole_history():
    users, items = np.repeat(np.arange(20), 8), np.random.default_rng(0).integers(15, size=160)
    log = pd.DataFrame({"user": users, "item": items, "time": range(160)})
    encoder = InteractionEncoder(time="time").fit(log)
    histories = encoder.sequences(log, max_length=2)
    model = TransitionRecommender(n_items=encoder.n_items_).fit(histories)
    pairs = set(zip(users.tolist(), items.tolist(), strict=True))
    for item_encoder in (None, encoder):
        service = RecommendationService(model, encoder, item_encoder=item_encoder)
        found = service.recommend(history=log, n_recommendations=3)
        why = service.explain(history=log, n_recommendations=3)
        for answers in (found, why):
            assert not pairs & set(zip(answers["user"], answers["item"], strict=True))
        theirs = log[log["user"] == 3]
        traced = service.trace(users=[3], history=theirs, items=theirs["item"].unique())
        assert set(traced["removed_by"]) == {"seen"}


def test_the_columns_of_a_pipeline_have_an_order_too(log):
    encoder = InteractionEncoder()
    X = encoder.fit_transform(log)
    table = pd.DataFrame(X.toarray(), columns=encoder.items_)[encoder.items_[::-1]]
    for model in (EASERecommender(), make_pipeline(MaxAbsScaler(), EASERecommender())):
        with pytest.raises(ValueError, match="the same items in another order"):
            RecommendationService(model.fit(table), encoder)
    two = make_pipeline(MaxAbsScaler(), RidgeRecommender()).fit(table, X)
    with pytest.raises(ValueError, match="the same items in another order"):
        RecommendationService(two, encoder, item_encoder=encoder)


def test_users_who_have_everything_are_explained_nothing():
    log = pd.DataFrame({"user": [0, 0, 1, 1, 1, 2], "item": [1, 2, 1, 2, 3, 3], "time": range(6)})
    encoder = InteractionEncoder(time="time").fit(log)
    models = [ItemKNNRecommender().fit(encoder.transform(log))]
    models += [TransitionRecommender(n_items=3).fit(encoder.sequences(log, max_length=2))]
    for model in models:
        service = RecommendationService(model, encoder)
        why = service.explain([0, 1], log)
        assert set(why["user"]) == {0}
        traced = service.trace([0], log, items=[1], exclude=log, exclude_seen=False)
        assert traced["removed_by"].tolist() == ["excluded"]


def test_the_same_encoder_twice_is_one(log):
    events = log.assign(time=range(len(log)))
    encoder = InteractionEncoder(time="time").fit(events)
    features = ItemFeatures(np.eye(encoder.n_items_), ids=encoder.items_)
    model = HistoryRecommender(ContentKNNRecommender(features), n_items=encoder.n_items_)
    model.fit(encoder.sequences(events, max_length=3))
    service = RecommendationService(model, encoder, item_encoder=encoder)
    with pytest.raises(ValueError, match="item_names has a name for"):
        RecommendationService(model, encoder).add_items(
            ItemFeatures(np.eye(encoder.n_items_)[:1], ids=[7]), {"7": "new"}
        )
    service.add_items(ItemFeatures(np.eye(encoder.n_items_)[:1], ids=["later"]))
    found = service.recommend(["user-1"], events)
    assert not set(found["item"]) & set(log.loc[log["user"] == "user-1", "item"])


def test_a_table_whose_names_are_ids_as_texts_has_an_order_too():
    log = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": [9, 10, 10, 200, 9]})
    encoder = InteractionEncoder().fit(log)
    table = pd.crosstab(log["user"], log["item"])
    table.columns = table.columns.astype(str)
    service = RecommendationService(EASERecommender().fit(table), encoder)
    assert service.item_ids_.tolist() == [9, 10, 200]
    with pytest.raises(ValueError, match="takes column 0 for the item '10', and the encoder for 9"):
        RecommendationService(EASERecommender().fit(table[sorted(table)]), encoder)


def test_numbers_of_columns_as_texts_are_no_ids():
    encoder = InteractionEncoder().fit({"user": [1, 2], "item": [0, 2]})
    encoder.partial_fit({"user": [1], "item": [1]})
    X = np.eye(3)
    model = EASERecommender(1.0).fit(pd.DataFrame(X).rename(columns=str))
    assert RecommendationService(model, encoder).item_ids_.tolist() == [0, 2, 1]


def test_reasons_are_named_as_items_of_the_source(log):
    films = log.assign(item=log["item"].str[5:].astype(int))
    domains = align_domains(films, films.assign(item=11 - films["item"]))
    model = RidgeRecommender(10.0).fit(domains.X_source, domains.X_target)
    books = {i: f"book {i}" for i in range(12)}
    parts = model, domains.source_encoder
    settings = {"item_encoder": domains.target_encoder, "item_names": books}
    asked = {"users": ["user-1"], "history": films, "n_recommendations": 2}
    reasons = RecommendationService(*parts, **settings).explain(**asked)
    assert reasons["name"].tolist() == [books[one] for one in reasons["item"]]
    assert reasons["because_name"].isna().all()
    titles = {i: f"film {i}" for i in range(12)}
    reasons = RecommendationService(*parts, source_names=titles, **settings).explain(**asked)
    assert reasons["because_name"].tolist() == [titles[one] for one in reasons["because"]]
    with pytest.raises(ValueError, match="source_names is given without item_encoder"):
        RecommendationService(*parts, source_names=titles)
    of_both = {**settings, "item_names": books | {100: "only in the source"}}
    assert RecommendationService(*parts, **of_both).source_names == {100: "only in the source"}


def test_a_model_of_stacked_domains_is_served_with_an_encoder_of_both_logs(log):
    books = log.assign(item=log["item"].str.replace("film", "book"))[::2]
    stacked = stack_domains(log, books, on="users")
    model = CollectiveMFRecommender(stacked.target_columns, 4, random_state=0).fit(stacked.X)
    with pytest.raises(ValueError, match="without common item ids, pass an encoder of both"):
        RecommendationService(model, stacked.source_encoder)
    encoder = InteractionEncoder().fit(log).partial_fit(books)
    service = RecommendationService(model, encoder)
    found = service.recommend(["user-1"], pd.concat([log, books]), n_recommendations=3)
    row = stacked.source_encoder.users_.tolist().index("user-1")
    items, _ = model.recommend(stacked.X[[row]], n_recommendations=3)
    assert_array_equal(found["item"], stacked.decode_items(items[0], domain="target"))


def test_a_pipeline_reads_all_items_of_histories_with_few_columns():
    events = {"user": np.repeat(range(6), 3), "item": np.arange(18) * 5 % 9, "time": range(18)}
    encoder = InteractionEncoder(time="time").fit(events)
    X = encoder.sequences(events, max_length=2)
    model = make_pipeline(DecayedHistory(0.5, n_items=9), ItemKNNRecommender()).fit(X)
    found = RecommendationService(model, encoder).recommend(encoder.users_, events)
    seen = encoder.transform(events)
    items, scores = recommend(model, X, n_recommendations=9, exclude_interactions=seen)
    assert_array_equal(found["item"], encoder.decode_items(items[items >= 0]))
    assert_allclose(found["score"], scores[items >= 0])


def test_later_items_in_histories_are_read_where_they_can_be():
    events = {"user": [0, 0, 0, 1, 1, 1], "item": [1, 2, 3, 3, 2, 1], "time": range(6)}
    encoder = InteractionEncoder(time="time")
    X = encoder.fit(events).sequences(events)
    features = ItemFeatures(np.eye(3), ids=[1, 2, 3])
    decayed = DecayedHistory(0.5, n_items=3)
    model = make_pipeline(decayed, ContentKNNRecommender(features)).fit(X)
    later = ItemFeatures([[1.0, 0.0, 0.0]], ids=[4])
    service = RecommendationService(model, encoder).add_items(later)
    with_later = {"user": [7, 7, 7], "item": [4, 1, 4], "time": range(3)}
    found = service.recommend([7], with_later, n_recommendations=3)
    known = service.recommend([7], {"user": [7], "item": [1], "time": [0]}, candidates=[2, 3])
    assert_array_equal(found["item"], known["item"])
    assert_allclose(found["score"], known["score"])


@pytest.mark.parametrize(
    "wrap", [lambda model: model, lambda model: VotingRecommender([("words", model)])]
)
def test_a_trace_says_that_a_later_item_is_seen(wrap):
    encoder = InteractionEncoder()
    X = encoder.fit_transform({"user": [0, 0, 1], "item": [1, 2, 3]})
    features = ItemFeatures(np.eye(3), ids=encoder.items_)
    service = RecommendationService(wrap(ContentKNNRecommender(features)).fit(X), encoder)
    service.add_items(ItemFeatures(np.ones((1, 3)), ids=[10]))
    traced = service.trace(baskets=[[1, 10]], items=[1, 10, 2])
    assert traced["removed_by"].tolist() == ["seen", "seen", ""]


def test_names_are_by_item_id_or_refused(log):
    encoder = InteractionEncoder().fit(log)
    model = PopularityRecommender().fit(encoder.transform(log))
    titles = pd.DataFrame({"item": list(NAMES), "title": list(NAMES.values())})
    with pytest.raises(ValueError, match=r"table\.set_index\('item'\)\['name'\]"):
        RecommendationService(model, encoder, item_names=titles["title"])
    with pytest.raises(TypeError, match="DataFrame"):
        RecommendationService(model, encoder, item_names=titles.set_index("item"))


def test_an_item_without_a_name_has_none(log):
    encoder = InteractionEncoder().fit(log)
    model = PopularityRecommender().fit(encoder.transform(log))
    first = encoder.items_[0]
    service = RecommendationService(model, encoder, item_names={first: "Alien"})
    found = service.recommend(users=["new"], n_recommendations=len(encoder.items_))
    names = dict(zip(found["item"], found["name"], strict=True))
    assert names.pop(first) == "Alien"
    assert set(names.values()) == {None}


def test_the_best_item_is_explained_first(service, log):
    users = log["user"].unique()[:3]
    best = service.recommend(users=users, history=log, n_recommendations=3)
    reasons = service.explain(users=users, history=log, n_recommendations=3, n_reasons=1)
    pairs, explained = (
        list(zip(found["user"], found["item"], strict=True)) for found in (best, reasons)
    )
    assert explained == [pair for pair in pairs if pair in set(explained)]
    assert len(explained) > 3
