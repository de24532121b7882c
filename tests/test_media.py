# SPDX-License-Identifier: BSD-3-Clause
"""Texts, pictures and numbers of items in one pipeline, and what each of them adds."""

import functools

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sktransrec import (
    ALSRecommender,
    CNNEncoder,
    ContentKNNRecommender,
    HybridRecommender,
    ItemFeatures,
    RidgeRecommender,
    TextSequences,
    ranking_scorer,
    recommend,
)
from sktransrec.datasets import make_content_domain
from sktransrec.metrics import ndcg_at_k

pd = pytest.importorskip("pandas")

TEXT = ("text", TfidfVectorizer(analyzer=TextSequences(analyzer="mixed").build_analyzer()), "文字")
NETWORK = CNNEncoder(
    *(16,), kernel_sizes=(4,), pooling="max", loss="multinomial", learning_rate=6e-3, epochs=8,
    random_state=0,
)  # fmt: skip
PICTURE = ("picture", make_pipeline(NETWORK, StandardScaler()), "תמונה")
NUMBERS = ("numbers", StandardScaler(), ["a", "b", "c", "d"])
# Chosen on domains of other seeds, from the scale of TF-IDF, whose rows have the length one.
WEIGHTS = {"picture": 0.25, "numbers": 0.25}


def _pixels(images):
    return np.stack(images).reshape(len(images), -1)


PIXELS = ("pixels", make_pipeline(FunctionTransformer(_pixels), StandardScaler()), "תמונה")
MEDIA = {medium[0]: medium for medium in (TEXT, PICTURE, NUMBERS, PIXELS)}


# Users, old and new items, and the choices of a user.
LARGE, MEDIUM, SMALL = (600, 500, 400, 80), (200, 300, 150, 80), (100, 80, 40, 40)


@functools.cache
def _domain(size=LARGE):
    *numbers, n_choices = size
    return make_content_domain(
        *numbers, n_choices=n_choices, languages=["chinese", "english"], text_signal=0.4,
        image_signal=0.5, feature_signal=0.6, random_state=0,
    )  # fmt: skip


def _table(domain):
    """Return a row for each item."""
    table = pd.DataFrame(domain.features, columns=["a", "b", "c", "d"])
    return table.assign(文字=domain.texts, תמונה=list(domain.images))


@functools.cache
def _items(size=LARGE):
    """Return a table of old items, who chose them, and the same of new items."""
    domain = _domain(size)
    table = _table(domain)
    old = np.flatnonzero(domain.X.sum(axis=0))
    y_old, y_new = domain.X[:, old].T.tocsr(), domain.Y[:, domain.new_items].T.tocsr()
    return table.iloc[old], y_old, table.iloc[domain.new_items], y_new


@functools.cache
def _fitted_picture():
    """Return the pictures with what reads them, which learns once."""
    name, transformer, column = PICTURE
    items, y, *_ = _items()
    return name, FrozenEstimator(clone(transformer).fit(items[column], y)), column


@functools.cache
def _quality(*names):
    """Return the NDCG@10 of each new item by these media, NaN where nobody chose it."""
    items, y, new_items, y_new = _items()
    media = [MEDIA[name] if name != "picture" else _fitted_picture() for name in names]
    media = ColumnTransformer(media, transformer_weights=WEIGHTS)
    model = make_pipeline(media, RidgeRecommender(10)).fit(items, y)
    return ndcg_at_k(y_new, recommend(model, new_items)[0], k=10, per_row=True)


@pytest.mark.slow
def test_pictures_tell_taste_where_pixels_do_not():
    floor = np.nanmean(_floor())
    assert np.nanmean(_quality("pixels")) < 1.1 * floor
    assert np.nanmean(_quality("picture")) > 1.3 * floor


def _floor(size=LARGE):
    """Return the NDCG@10 of the most active users, whom one would tell of anything."""
    _, y, _, y_new = _items(size)
    users = np.argsort(-y.sum(axis=0), kind="stable")[:10]
    return ndcg_at_k(y_new, np.tile(users, (y_new.shape[0], 1)), k=10, per_row=True)


@pytest.mark.slow
def test_all_media_together_are_better_than_each_alone():
    together = _quality("text", "picture", "numbers")
    for medium in ("text", "picture", "numbers"):
        mean, error = _gain(together, _quality(medium))
        assert mean > 2 * error, medium


def _gain(scores, others):
    """Return the mean of the differences in the rows that have some, and its standard error."""
    differences = (scores - others)[~np.isnan(scores)]
    return differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))


def test_a_pipeline_of_all_media_is_searched_saved_and_named(tmp_path):
    items, y, new_items, _ = _items(SMALL)
    network = clone(NETWORK).set_params(epochs=1, run_eagerly=True, n_components=2)
    media = ColumnTransformer(
        [TEXT, ("picture", network, "תמונה"), NUMBERS], transformer_weights=WEIGHTS
    )
    weights = [{"picture": weight} for weight in (0.1, 1.0)]
    search = GridSearchCV(
        make_pipeline(media, RidgeRecommender()),
        {"columntransformer__transformer_weights": weights},
        scoring=ranking_scorer("ndcg", k=10),
        cv=2,
        error_score="raise",
    ).fit(items[:32], y[:32])
    names = search.best_estimator_[0].get_feature_names_out()
    assert names[-6:].tolist() == [
        *("picture__cnnencoder0", "picture__cnnencoder1"),
        *(f"numbers__{name}" for name in "abcd"),
    ]
    joblib.dump(search, tmp_path / "media.joblib")
    loaded = joblib.load(tmp_path / "media.joblib")
    for actual, expected in zip(
        recommend(loaded, new_items), recommend(search, new_items), strict=True
    ):
        assert_array_equal(actual, expected)


def test_a_bad_picture_in_a_table_names_its_item():
    items, y, *_ = _items(SMALL)
    network = clone(NETWORK).set_params(epochs=1, run_eagerly=True)
    media = ColumnTransformer([("picture", network, "תמונה")])
    items = items[:8].set_index(pd.Index([f"סרט {i}" for i in range(8)]))
    items.at["סרט 5", "תמונה"] = np.zeros((16, 16))
    with pytest.raises(ValueError, match=r"Row 5 of X \('סרט 5'\) is of shape \(16, 16\)"):
        media.fit(items, y[:8])


def test_the_same_text_read_in_two_ways():
    items, y, new_items, y_new = _items(MEDIUM)
    pairs = TextSequences(analyzer="char", ngram_range=(2, 2)).build_analyzer()
    both = make_union(TEXT[1], TfidfVectorizer(analyzer=pairs))
    model = make_pipeline(both, RidgeRecommender(10)).fit(items["文字"], y)
    quality = ndcg_at_k(y_new, recommend(model, new_items["文字"])[0], k=10, per_row=True)
    assert np.nanmean(quality) > 1.4 * np.nanmean(_floor(MEDIUM))


@pytest.mark.slow
def test_interactions_are_columns_beside_the_media():
    """Who of some users has an item tells who of the others will, on top of what it is like."""
    domain = make_content_domain(
        *(400, 400, 0), n_choices=60, languages=["chinese", "english"], text_signal=0.4,
        image_signal=0.5, random_state=0,
    )  # fmt: skip
    chosen = np.flatnonzero(domain.X.sum(axis=0))
    buyers = pd.DataFrame(domain.X[:40, chosen].T.toarray()).add_prefix("user ")
    items = pd.concat([_table(domain).iloc[chosen].reset_index(drop=True), buyers], axis=1)
    y = domain.X[40:, chosen].T.tocsr()
    is_known = np.arange(len(chosen)) % 2 == 1
    svd = make_pipeline(TruncatedSVD(8, random_state=0), StandardScaler())
    bought = ("bought", svd, buyers.columns)

    def quality(*media):
        weights = WEIGHTS | {"bought": 0.25}
        union = ColumnTransformer(media, transformer_weights=weights)
        model = make_pipeline(union, RidgeRecommender(10)).fit(items[is_known], y[is_known])
        shown, _ = recommend(model, items[~is_known])
        return ndcg_at_k(y[~is_known], shown, k=10, per_row=True)

    together = quality(TEXT, PICTURE, bought)
    for others in ([TEXT, PICTURE], [bought]):
        mean, error = _gain(together, quality(*others))
        assert mean > 2 * error, (mean, error)


@pytest.mark.slow
def test_interactions_are_the_last_medium():
    """New items gain by their content, and old ones lose nothing."""
    domain = _domain()
    items = ItemFeatures(_table(domain))
    media = ColumnTransformer([TEXT, PICTURE, NUMBERS], transformer_weights=WEIGHTS)
    media = clone(media).set_params(picture__cnnencoder__loss="mse")
    factors = ALSRecommender(8, random_state=0)
    hybrid = HybridRecommender(
        factors, make_pipeline(media, Ridge(3)), item_features=items, content_scale=1.0
    )
    neighbors = ContentKNNRecommender(items, transformer=ColumnTransformer([TEXT]))
    for model in (hybrid, factors, neighbors):
        model.fit(domain.X)
    of_new = _quality_for_users(hybrid, domain.new_items)
    for other in (factors, neighbors):
        mean, error = _gain(of_new, _quality_for_users(other, domain.new_items))
        assert mean > 2 * error, (mean, error)
    mean, error = _gain(_quality_for_users(hybrid), _quality_for_users(factors))
    assert mean >= -error


def _quality_for_users(model, candidates=None):
    """Return the NDCG@10 of each user among all items or some of them."""
    domain = _domain()
    shown, _ = model.recommend(domain.X, candidates=candidates)
    is_candidate = np.ones(domain.Y.shape[1])
    if candidates is not None:
        is_candidate[:] = np.isin(np.arange(domain.Y.shape[1]), candidates)
    return ndcg_at_k(domain.Y.multiply(is_candidate), shown, k=10, per_row=True)
