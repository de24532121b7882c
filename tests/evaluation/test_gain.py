# SPDX-License-Identifier: BSD-3-Clause
"""Transfer is told from its absence, from harm and from cross-listed items."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from _domains import N_SOURCE, N_TARGET, TARGET, beside, related_domains
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sktransrec import (
    ALSRecommender,
    BridgeRecommender,
    EASERecommender,
    PopularityRecommender,
    RidgeRecommender,
    ranking_scorer,
    recommend,
    transfer_gain,
)
from sktransrec.interactions import cross_listed_mask, holdout_random
from sktransrec.metrics import ndcg_at_k, recall_at_k


def quick_gain(*args, **options):
    """Return the gain as few folds and few resamples of the rows show it."""
    return transfer_gain(*args, **{"cv": 3, "n_resamples": 500, **options})


@pytest.fixture(scope="module")
def domains():
    return related_domains()


@pytest.fixture(scope="module")
def stacked(domains):
    """Return both domains side by side, and target interactions held out of them."""
    known, y = holdout_random(domains.Y_target, 0.3, random_state=0)
    return beside(domains.X_source, known), y


def test_scores_are_those_of_models_fitted_on_the_other_rows(domains):
    X, y = domains.X_source, domains.Y_target
    folds = list(KFold(3).split(X))
    gain = quick_gain(RidgeRecommender(), None, X, y, cv=folds, metric="recall", k=5)
    for train, test in folds:
        items, _ = (
            RidgeRecommender().fit(X[train], y[train]).recommend(X[test], n_recommendations=5)
        )
        assert_allclose(gain.scores[test, 0], recall_at_k(y[test], items, k=5, per_row=True))
        popular = np.argsort(-y[train].sum(axis=0), kind="stable")[:5]
        items = np.tile(popular, (len(test), 1))
        assert_allclose(gain.scores[test, 1], recall_at_k(y[test], items, k=5, per_row=True))
    assert gain.metric == "recall@5"
    assert_allclose(gain.overall.gain, np.subtract(*gain.scores.mean(axis=0)))
    assert_array_equal(gain.scores, gain.clean_scores)
    assert_array_equal(gain.activity, X.sum(axis=1))


def test_without_never_sees_the_source(stacked):
    X, y = stacked
    noise = beside(X[:, :N_SOURCE] * 0, X[:, N_SOURCE:])
    arguments = {"target_columns": TARGET, "cv": KFold(3), "n_resamples": 100}
    ease = EASERecommender()
    gain = quick_gain(ease, ease, X, y, **arguments)
    blind = quick_gain(ease, ease, noise, y, **arguments)
    assert_array_equal(gain.scores[:, 1], blind.scores[:, 1])
    # EASE finds nothing in empty columns, so the side with them is the target alone.
    assert_allclose(blind.scores[:, 0], blind.scores[:, 1])
    assert (gain.scores[:, 0] != gain.scores[:, 1]).any()


def test_stacked_models_are_judged_on_the_target_alone(stacked):
    X, y = stacked
    gain = quick_gain(EASERecommender(), None, X, y, target_columns=TARGET, cv=KFold(3))
    train, test = next(KFold(3).split(X))
    model = EASERecommender().fit(X[train])
    items, _ = model.recommend(X[test], candidates=TARGET)
    assert_allclose(gain.scores[test, 0], ndcg_at_k(y[test], items - N_SOURCE, per_row=True))
    seen_all = (X[train][:, TARGET] + y[train]).toarray().sum(axis=0)
    scores = np.where(X[test][:, TARGET].toarray() > 0, -1, seen_all)
    items = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    assert_allclose(gain.scores[test, 1], ndcg_at_k(y[test], items, per_row=True))


@pytest.mark.parametrize(
    "columns", [np.arange(N_SOURCE + N_TARGET) < N_TARGET, slice(N_TARGET)], ids=["mask", "slice"]
)
def test_target_columns_may_be_a_mask_or_a_slice_and_stand_anywhere(stacked, columns):
    X, y = stacked
    swapped = beside(X[:, N_SOURCE:], X[:, :N_SOURCE])
    arguments = {"cv": KFold(3), "random_state": 0}
    ease = EASERecommender()
    gain = quick_gain(ease, ease, X, y, target_columns=TARGET, **arguments)
    moved = quick_gain(ease, ease, swapped, y, target_columns=columns, **arguments)
    assert_allclose(gain.scores, moved.scores)


@pytest.mark.parametrize(
    "model",
    [
        RidgeRecommender(),
        BridgeRecommender(ALSRecommender(8, random_state=0)),
        make_pipeline(ALSRecommender(8, random_state=0), RidgeRecommender(1.0)),
        GridSearchCV(
            RidgeRecommender(),
            {"regularization": [10, 100]},
            cv=2,
            scoring=ranking_scorer(),
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_related_domains_help_cold_rows(domains, model):
    gain = quick_gain(model, None, domains.X_source, domains.Y_target, random_state=0)
    assert gain.verdict == "helps"
    assert gain.negative_transfer_gap < 0
    assert repr(gain).endswith("Verdict: transfer helps.")


def test_related_domains_help_warm_rows(stacked):
    X, y = stacked
    search = GridSearchCV(
        EASERecommender(),
        {"regularization": [10, 100]},
        cv=2,
        scoring=ranking_scorer(holdout=0.3, random_state=0),
    )
    for model in (EASERecommender(), search):
        gain = quick_gain(
            model, EASERecommender(), X, y, target_columns=TARGET, cv=3, random_state=0
        )
        assert gain.verdict == "helps"
        assert gain.counted == "interactions in the target"


def test_unrelated_domains_harm():
    domains = related_domains(relatedness=0)
    X, y = domains.X_source, domains.Y_target
    gain = quick_gain(RidgeRecommender(1.0), None, X, y, random_state=0)
    assert gain.verdict == "harms"
    assert gain.negative_transfer_gap > 0
    assert "leave the source out" in str(gain)


def test_the_same_model_twice_gains_nothing(domains):
    ridge = RidgeRecommender()
    gain = quick_gain(ridge, ridge, domains.X_source, domains.Y_target, random_state=0)
    assert gain.overall.gain == gain.overall.share_helped == gain.overall.share_hurt == 0
    assert gain.verdict == "no evidence"


def test_twins_are_named_and_the_clean_gain_is_stated(domains):
    twins = [3, 8, 20]
    X = beside(domains.X_source, domains.Y_target[:, twins])
    gain = quick_gain(RidgeRecommender(), None, X, domains.Y_target, random_state=0)
    found = {(source, target) for source, target, _, _ in gain.twins}
    assert found == {(N_SOURCE + place, twin) for place, twin in enumerate(twins)}
    mask = cross_listed_mask(X, domains.Y_target, domains.Y_target)
    assert gain.n_given_away == mask.nnz == domains.Y_target[:, twins].nnz
    assert gain.n_pairs == domains.Y_target.nnz
    assert gain.clean.gain < gain.overall.gain
    text = str(gain)
    assert "3 pairs look like one product" in text
    assert f"source {N_SOURCE} is target 3" in text
    clean = quick_gain(
        RidgeRecommender(), None, X, domains.Y_target, X_source=domains.X_source, random_state=0
    )
    assert clean.twins == ()
    assert_array_equal(clean.scores, gain.scores)


def test_twins_are_neither_wanted_nor_recommended(domains):
    X, y = beside(domains.X_source, domains.Y_target[:, [3]]), domains.Y_target
    gain = quick_gain(RidgeRecommender(), None, X, y, cv=KFold(2))
    others = np.delete(np.arange(N_TARGET), 3)
    train, test = next(KFold(2).split(X))
    model = RidgeRecommender().fit(X[train], y[train])
    items, _ = model.recommend(X[test], candidates=others)
    y_others = y[test].toarray()
    y_others[:, 3] = 0
    assert_allclose(gain.clean_scores[test, 0], ndcg_at_k(y_others, items, per_row=True))


def test_nothing_is_left_where_all_items_are_twins(domains):
    y = domains.Y_target
    gain = quick_gain(RidgeRecommender(), None, y, y, random_state=0)
    assert gain.overall.verdict == "helps"
    assert gain.clean.n_rows == 0
    assert gain.verdict == "no evidence"
    assert "nothing to find" in str(gain)
    assert "nan" not in str(gain)


@pytest.mark.parametrize("places", [slice(2), slice(5, 9), slice(15, 25)])
def test_unrelated_domains_with_twins_are_not_taken_for_transfer(places):
    domains = related_domains(relatedness=0)
    popular = np.argsort(-domains.Y_target.sum(axis=0))
    X = beside(domains.X_source, domains.Y_target[:, popular[places]])
    gain = transfer_gain(RidgeRecommender(), None, X, domains.Y_target, random_state=0)
    assert gain.overall.verdict == "helps"
    assert gain.verdict != "helps"
    assert (
        gain.verdict == "harms"
        or "more is transferred than cross-listed items give away" in str(gain)
    )


@pytest.mark.parametrize(
    ("clean_gain", "words"),
    [
        (0.02, "no evidence that more is transferred than cross-listed items give away."),
        (0.06, "without cross-listed items, the gain is no smaller, but not certain."),
        (np.nan, "without cross-listed items, no evidence that transfer helps or harms."),
    ],
)
def test_gain_is_put_down_to_twins_only_if_it_shrinks_without_them(domains, clean_gain, words):
    gain = quick_gain(
        RidgeRecommender(), None, domains.X_source, domains.Y_target, cv=2, random_state=0
    )
    overall = replace(gain.overall, gain=0.05, interval=(0.01, 0.09))
    clean = replace(gain.overall, gain=clean_gain, interval=(clean_gain - 0.08, clean_gain + 0.08))
    gain = replace(gain, overall=overall, clean=clean, n_given_away=3)
    assert str(gain).endswith(f"Verdict: {words}")


def test_models_that_are_not_refitted_have_the_interval_of_the_rows_alone(domains):
    X, y = domains.X_source, domains.Y_target
    ridge = RidgeRecommender()
    other = RidgeRecommender(1.0)
    half = np.arange(300) < 150
    prefit = transfer_gain(
        ridge.fit(X[half], y[half]),
        other.fit(X[half], y[half]),
        *(X[~half], y[~half]),
        cv="prefit",
        random_state=0,
    )
    for train in (half, np.flatnonzero(half)):
        refitted = transfer_gain(
            ridge, other, X, y, cv=[(train, np.flatnonzero(~half))], random_state=0
        )
        assert_allclose(refitted.scores[~half], prefit.scores)
        widths = [np.ptp(gain.overall.interval) for gain in (refitted, prefit)]
        assert_allclose(widths[0] / widths[1], np.sqrt(1 + 150 / 150), rtol=0.05)


def test_items_are_named_as_the_columns_are(domains):
    X = pd.DataFrame(domains.X_source.toarray()).add_prefix("film ")
    y = pd.DataFrame(domains.Y_target.toarray()).add_prefix("book ")
    X["the film of the book"] = y["book 5"]
    gain = quick_gain(RidgeRecommender(), None, X, y, cv=2, random_state=0)
    assert [twin[:2] for twin in gain.twins] == [("the film of the book", "book 5")]
    stacked = pd.concat([y * 0, X], axis=1)
    warm = quick_gain(
        RidgeRecommender(), None, stacked, y, target_columns=np.arange(N_TARGET), cv=2
    )
    assert [twin[:2] for twin in warm.twins] == [("the film of the book", "book 5")]


def test_fitted_models_are_taken_as_they_are(domains):
    X, y = domains.X_source, domains.Y_target
    ridge, bridge = (
        model.fit(X[:200], y[:200])
        for model in (RidgeRecommender(), BridgeRecommender(ALSRecommender(8, random_state=0)))
    )
    gain = quick_gain(ridge, bridge, X[200:], y[200:], cv="prefit", random_state=0)
    for side, model in enumerate((ridge, bridge)):
        items, _ = recommend(model, X[200:])
        assert_allclose(gain.scores[:, side], ndcg_at_k(y[200:], items, per_row=True))


def test_rows_that_no_fold_holds_out_do_not_count(domains):
    X, y = domains.X_source, domains.Y_target
    split = ShuffleSplit(1, test_size=0.25, random_state=0)
    gain = quick_gain(RidgeRecommender(), None, X, y, cv=split, random_state=0)
    _, test = next(split.split(X))
    assert_array_equal(np.flatnonzero(~np.isnan(gain.scores[:, 0])), np.sort(test))
    assert gain.overall.n_rows == sum(bucket.n_rows for bucket in gain.buckets) == 75


def test_rows_need_not_be_a_matrix(domains):
    texts = [" ".join(map(str, row.nonzero()[0])) for row in domains.X_source.toarray()]
    read = FunctionTransformer(_items_of)
    model = make_pipeline(read, RidgeRecommender())
    gain = quick_gain(model, None, texts, domains.Y_target, random_state=0)
    expected = quick_gain(
        RidgeRecommender(), None, domains.X_source, domains.Y_target, random_state=0
    )
    assert gain.scores.shape == expected.scores.shape
    assert_allclose(gain.scores, expected.scores)
    assert gain.twins is None
    assert len(gain.buckets) == 1
    assert "not looked for" in str(gain)
    named = quick_gain(
        model, None, texts, domains.Y_target, X_source=domains.X_source, random_state=0
    )
    assert named.twins == ()
    assert len(named.buckets) == 3


def _items_of(texts):
    has_item = np.zeros((len(texts), N_SOURCE), dtype=np.float32)
    for row, text in enumerate(texts):
        has_item[row, [int(item) for item in text.split()]] = 1
    return has_item


def test_buckets_cover_all_rows_and_share_the_error(domains):
    gain = quick_gain(
        RidgeRecommender(), None, domains.X_source, domains.Y_target, n_buckets=3, random_state=0
    )
    assert sum(bucket.n_rows for bucket in gain.buckets) == gain.clean.n_rows
    assert {bucket.confidence_level for bucket in gain.buckets} == {1 - 0.05 / 3}
    fewer = gain.activity < gain.bucket_edges[0]
    assert_allclose(gain.buckets[0].transfer, gain.scores[fewer, 0].mean())


def test_random_state_makes_it_reproducible(domains):
    def intervals(random_state):
        gain = transfer_gain(
            *(RidgeRecommender(), None, domains.X_source, domains.Y_target),
            cv=2,
            random_state=random_state,
        )
        return [gain.overall.interval, *(bucket.interval for bucket in gain.buckets)]

    assert intervals(0) == intervals(0)
    assert intervals(0) != intervals(1)


@pytest.mark.usefixtures("workers")
def test_folds_run_in_parallel(domains):
    arguments = (RidgeRecommender(), None, domains.X_source, domains.Y_target)
    serial, parallel = (quick_gain(*arguments, random_state=0, n_jobs=n) for n in (None, 2))
    assert_array_equal(serial.scores, parallel.scores)


def test_bad_arguments_are_explained(domains, stacked):
    X, y = domains.X_source, domains.Y_target
    ridge, ease = RidgeRecommender(), EASERecommender()
    with pytest.raises(ValueError, match="y holds nothing to find"):
        transfer_gain(ridge, None, X, y * 0)
    with pytest.raises(ValueError, match=r'cv="prefit" has none'):
        transfer_gain(ridge.fit(X, y), None, X, y, cv="prefit")
    with pytest.raises(ValueError, match="as target_columns"):
        transfer_gain(ease, None, stacked[0], stacked[1])
    with pytest.raises(ValueError, match="40 columns, but 3 columns of X hold the target items"):
        transfer_gain(ease, None, *stacked, target_columns=[1, 2, 3])
    with pytest.raises(ValueError, match="EASERecommender recommends 60 items, but y has 40"):
        transfer_gain(ridge, ease, X, y)
    with pytest.raises(ValueError, match="are known in X as well"):
        transfer_gain(ease, None, beside(X, y), y, target_columns=TARGET)
    with pytest.raises(ValueError, match="'metric' parameter of transfer_gain"):
        transfer_gain(ridge, None, X, y, metric="accuracy")
    n_rows = X.shape[0]
    with pytest.raises(ValueError, match=f"X has {n_rows} rows and X_source has {n_rows - 1}"):
        transfer_gain(ridge, None, X, y, X_source=X[:-1])


def test_popularity_is_what_no_model_means(domains):
    X, y = domains.X_source, domains.Y_target
    gain = quick_gain(RidgeRecommender(), None, X, y, cv=KFold(2))
    train, test = next(KFold(2).split(X))
    items, _ = PopularityRecommender().fit(y[train]).recommend(0 * y[test])
    assert_allclose(gain.scores[test, 1], ndcg_at_k(y[test], items, per_row=True))


def test_models_that_are_taken_as_they_are_must_be_fitted(domains):
    with pytest.raises(NotFittedError):
        transfer_gain(
            RidgeRecommender(), RidgeRecommender(), domains.X_source, domains.Y_target, cv="prefit"
        )
