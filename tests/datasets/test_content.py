# SPDX-License-Identifier: BSD-3-Clause
import unicodedata

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_predict

from sktransrec import InteractionEncoder
from sktransrec.datasets import make_content_domain

SCRIPTS = {
    "arabic": "ARABIC",
    "chinese": "CJK UNIFIED",
    "english": "LATIN",
    "hebrew": "HEBREW",
    "hindi": "DEVANAGARI",
    "japanese": "HIRAGANA",
    "russian": "CYRILLIC",
    "thai": "THAI",
}
SMALL = {"n_users": 30, "n_items": 40, "n_new_items": 10, "random_state": 0}


def _explained(content, factors):
    """Return the share of the factors' variance that a ridge regression finds in new items."""
    predicted = cross_val_predict(RidgeCV(np.logspace(-1, 4, 6)), content, factors, cv=5)
    return 1 - ((factors - predicted) ** 2).sum() / ((factors - factors.mean(0)) ** 2).sum()


def _text_share(domain):
    counts = CountVectorizer().fit_transform(domain.texts)
    return _explained(counts.toarray(), domain.truth.factors)


def _image_share(domain):
    """Return how well the motifs, found by their correlation with the picture, tell factors."""
    patches = np.lib.stride_tricks.sliding_window_view(domain.images.mean(axis=3), (4, 4), (1, 2))
    motifs = domain.truth.motifs.reshape(-1, 16)
    found = patches.reshape(len(patches), -1, 16) @ motifs.T
    return _explained(found.max(axis=1), domain.truth.factors)


@pytest.mark.parametrize(("medium", "share"), [("text", _text_share), ("image", _image_share)])
def test_signal_is_what_the_medium_tells_of_taste(medium, share):
    shares = [
        share(
            make_content_domain(
                n_users=2, **{f"{medium}_signal": signal}, random_state=0, return_truth=True
            )
        )
        for signal in (0, 0.5, 1)
    ]
    assert shares[0] < 0.02
    assert shares[0] + 0.15 < shares[1] < shares[2] - 0.1


@pytest.mark.parametrize("signal", [0, 0.5, 1])
def test_feature_signal_is_a_correlation(signal):
    domain = make_content_domain(
        2, 4000, feature_signal=signal, image_size=4, random_state=0, return_truth=True
    )
    correlation = np.corrcoef(domain.features.ravel(), domain.truth.factors.ravel())[0, 1]
    assert_allclose(correlation, signal, atol=0.03)
    assert_allclose(domain.features.std(), 1, atol=0.03)


def test_matrices_are_the_log_before_and_after_the_cutoff():
    domain = make_content_domain(**SMALL)
    events, shape = domain.events, (30, 50)
    assert domain.X.shape == domain.Y.shape == shape
    assert (np.diff(events.time) >= 0).all()
    assert domain.X.nnz + domain.Y.nnz == len(events.time) == (domain.X + domain.Y).nnz
    late = {name: column[events.time >= domain.cutoff] for name, column in events.items()}
    encoder = InteractionEncoder(time="time").fit(events)
    later = encoder.transform(late)
    assert_array_equal(domain.Y[encoder.users_][:, encoder.items_].toarray(), later.toarray())
    assert (events.time >= domain.appeared[events.item]).all()
    assert domain.X[:, domain.new_items].nnz == 0
    assert domain.Y[:, domain.new_items].nnz > 0
    assert domain.appeared[domain.new_items[0]] == domain.cutoff


def test_choices_follow_taste_and_popularity():
    domain = make_content_domain(300, image_size=4, random_state=0, return_truth=True)
    events, truth = domain.events, domain.truth
    likings = truth.tastes @ truth.factors.T
    chosen = likings[events.user, events.item]
    by_chance = likings[events.user, np.random.RandomState(0).permutation(events.item)]
    assert chosen.mean() > by_chance.mean() + 0.5
    is_old = domain.appeared <= 0
    counts = np.bincount(events.item, minlength=500)
    correlation = np.corrcoef(np.log1p(counts[is_old]), np.log(truth.popularity[is_old]))
    assert correlation[0, 1] > 0.8


def test_news_grow_old():
    domain = make_content_domain(n_users=150, lifetime=2.0, image_size=4, random_state=0)
    ages = domain.events.time - domain.appeared[domain.events.item]
    assert_allclose(ages.mean(), 2.0, rtol=0.15)
    assert domain.appeared[0] == -6


@pytest.mark.parametrize("language", SCRIPTS)
def test_letters_are_those_of_the_language(language):
    texts = make_content_domain(**SMALL, languages=[language]).texts
    assert len(texts) == 50
    letters = set("".join(texts)) - {" "}
    assert all(unicodedata.name(letter).startswith(SCRIPTS[language]) for letter in letters)
    assert unicodedata.is_normalized("NFKC", "".join(texts))
    has_spaces = language not in ("chinese", "japanese", "thai")
    assert all(len(text.split()) == (10 if has_spaces else 1) for text in texts)


def test_each_text_is_in_its_language_unless_they_mix():
    for mixing, n_scripts in ((0.0, 1), (1.0, 2)):
        domain = make_content_domain(
            **SMALL, languages=("hebrew", "russian"), language_mixing=mixing
        )
        scripts = [
            {unicodedata.name(letter).split()[0] for letter in text if letter != " "}
            for text in domain.texts
        ]
        assert max(map(len, scripts)) == n_scripts
        if mixing == 0:
            assert [script.pop().lower() for script in scripts] == [
                {"hebrew": "hebrew", "russian": "cyrillic"}[name] for name in domain.languages
            ]


def test_the_same_seed_gives_the_same_domain():
    domains = [make_content_domain(**SMALL) for _ in range(2)]
    for name in ("texts", "images", "features", "languages", "appeared"):
        assert_array_equal(domains[0][name], domains[1][name])
    assert (domains[0].X != domains[1].X).nnz == 0
    assert "truth" not in domains[0]


def test_without_new_items_all_is_before_the_cutoff():
    domain = make_content_domain(20, 30, 0, random_state=0)
    assert (domain.cutoff, domain.Y.nnz, len(domain.new_items)) == (100, 0, 0)


@pytest.mark.parametrize("languages", [[], ["klingon"], ("english", "latin")])
def test_unknown_languages_are_named(languages):
    with pytest.raises(ValueError, match="languages must be a list of at least one of"):
        make_content_domain(languages=languages)
