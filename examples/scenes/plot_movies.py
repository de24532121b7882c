# SPDX-License-Identifier: BSD-3-Clause
"""
Movies: ratings, titles, and films that nobody has seen yet
===========================================================

You run a film site and have ratings with times, titles, genres and tags. You have three questions:
which films to show to a user, what to do with a film that has just arrived, and how many stars a
user would give. We start from the table of events, and answer all three with scores and baselines.
"""

# %%
# A table of events and the words of the films
# --------------------------------------------
# We use MovieLens if you have it, and generated users and films otherwise. The words of a film show
# what it is about, and people give more stars to films that suit their taste. We do not use tags:
# they come from people who have seen the film, and a new film has none.
import numpy as np

from sktransrec.datasets import load_movielens, make_content_domain


def real_films():
    """Return ratings as a table of columns, and the words of each film by its id."""
    movielens = load_movielens()
    ratings, movies = movielens.ratings, movielens.movies
    log = {
        "user": ratings.user_id,
        "film": ratings.movie_id,
        "stars": ratings.rating,
        "time": ratings.timestamp,
    }
    genres = [text.replace("-", "").replace("|", " ") for text in movies.genres]
    words = [f"{title} {genre}" for title, genre in zip(movies.title, genres, strict=True)]
    return log, dict(zip(movies.movie_id.tolist(), words, strict=True))


def made_up_films():
    """Return the same of generated users and films."""
    domain = make_content_domain(
        *(500, 300, 0),
        n_choices=80,
        text_signal=0.7,
        random_state=0,
        return_truth=True,
    )
    users, films, times = domain.events.user, domain.events.item, domain.events.time
    liking = (domain.truth.tastes[users] * domain.truth.factors[films]).sum(axis=1)
    noise = np.random.RandomState(0).normal(scale=0.5, size=len(liking))
    stars = np.clip(np.round(2 * (3 + 0.7 * liking + noise)) / 2, 0.5, 5)
    log = {"user": users, "film": films, "stars": stars, "time": times}
    return log, dict(enumerate(domain.texts))


try:
    log, words = real_films()
    where = "MovieLens"
except FileNotFoundError:
    log, words = made_up_films()
    where = "generated films"
print(f"{where}: {len(log['stars'])} ratings; the first film is {next(iter(words.values()))!r}")

# %%
# From the table to matrices, split in time
# -----------------------------------------
# The five films that each user rated last are held out. A tenth of the films are *new*: all their
# ratings are taken away, so that only their words are left.
from sktransrec import InteractionEncoder, ItemFeatures
from sktransrec.interactions import holdout_last

encoder = InteractionEncoder(
    "user", "film", value="stars", time="time", min_item_interactions=5
).fit(log)
stars, later_stars = holdout_last(log, encoder, n=5)
rng = np.random.RandomState(0)
is_new = rng.permutation(encoder.n_items_) < encoder.n_items_ // 10
new_films = np.flatnonzero(is_new)
seen_of_new = (stars + later_stars).multiply(is_new).tocsr()
stars = stars.multiply(~is_new).tocsr()
stars.eliminate_zeros()

X, y = (stars > 0).astype(np.float32), (later_stars > 0).astype(np.float32)
texts = ItemFeatures([words[film] for film in encoder.items_.tolist()], ids=encoder.items_)
print(f"{X.shape[0]} users, {X.shape[1]} films of which {len(new_films)} are new, {X.nnz} ratings")

# %%
# Which films to show
# -------------------
# We compare popularity, a factor model, a model of pairs of films, the nearest titles, and a
# hybrid. The hybrid learns to predict the factors of a film from its words; the scores from content
# are on the scale of the factors, or larger. All parameters are tuned on the known films of the
# users, with a third of them hidden.
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktransrec import (
    ALSRecommender,
    ContentKNNRecommender,
    EASERecommender,
    HybridRecommender,
    PopularityRecommender,
    ranking_scorer,
)

scorer = ranking_scorer("ndcg", k=10, holdout=0.3, random_state=0)
factors = GridSearchCV(
    ALSRecommender(max_iter=10, random_state=0),
    {"n_components": [8, 32], "regularization": [0.01, 0.1], "confidence": [3.0, 30.0]},
    scoring=scorer,
    cv=2,
).fit(X)
pairs = GridSearchCV(
    EASERecommender(), {"regularization": [30, 100, 300]}, scoring=scorer, cv=2
).fit(X)
print("factors:", factors.best_params_, "pairs:", pairs.best_params_)
regressor = make_pipeline(TfidfVectorizer(sublinear_tf=True), Ridge(1.0))
hybrid = HybridRecommender(
    factors.best_estimator_, regressor, item_features=texts, content_scale=1.0
)
models = {
    "popularity": PopularityRecommender().fit(X),
    "nearest titles": ContentKNNRecommender(texts).fit(X),
    "pairs (EASE)": pairs.best_estimator_,
    "factors (ALS)": factors.best_estimator_,
    "hybrid": hybrid.fit(X),
    "hybrid, loud": clone(hybrid).set_params(content_scale="auto").fit(X),
}

# %%
# We ask two questions: which of all films do users rate next, and who sees which of the new films?
# Errors are standard errors over users.
from sktransrec.metrics import ndcg_at_k


def mean_and_error(by_user):
    """Return the mean over the users who have something to find, and its standard error."""
    by_user = by_user[~np.isnan(by_user)]
    return by_user.mean(), by_user.std(ddof=1) / np.sqrt(len(by_user))


quality = {}
print(f"{'NDCG@10':16} {'all films':>15} {'new films':>15}")
for name, model in models.items():
    among_all, _ = model.recommend(X)
    among_new, _ = model.recommend(X, candidates=new_films)
    quality[name] = [
        mean_and_error(ndcg_at_k(y, among_all, k=10, per_row=True)),
        mean_and_error(ndcg_at_k(seen_of_new, among_new, k=10, per_row=True)),
    ]
    print(f"{name:16}", *(f"{mean:.3f} ± {error:.3f}".rjust(15) for mean, error in quality[name]))

# %%
# How many stars
# --------------
# This is another question: not what a user will see, but how much the user will like it. The
# baseline is the biases alone: some users are kind, and some films are good.
from sktransrec import BiasedMFRecommender
from sktransrec.metrics import rating_errors, rating_scorer

rating_models = {
    "biases alone": BiasedMFRecommender(0),
    "biases and factors": GridSearchCV(
        BiasedMFRecommender(10, random_state=0),
        {"regularization": [3.0, 6.0, 12.0]},
        scoring=rating_scorer(holdout=0.2, random_state=0),
        cv=2,
    ),
}
rmse = {}
for name, model in rating_models.items():
    rmse[name] = rating_errors(model.fit(stars), stars, later_stars)["rmse"]
    print(f"{name:20} RMSE = {rmse[name][0]:.3f} ± {rmse[name][1]:.3f} stars")

# %%
# The same as a picture
# ---------------------
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 3, figsize=(10, 2.8), layout="constrained", width_ratios=(4, 4, 3))
titles = "What users see next", "Who sees which new film"
for place, (ax, title) in enumerate(zip(axes, titles, strict=False)):
    means, errors = np.transpose([scores[place] for scores in quality.values()])
    ax.barh(list(quality), means, xerr=errors, color="C0", alpha=0.8)
    ax.set(title=title, xlabel="NDCG@10")
    ax.invert_yaxis()
    ax.label_outer()
means, errors = np.transpose(list(rmse.values()))
axes[2].errorbar(means, list(rmse), xerr=errors, fmt="o", color="C1", capsize=3)
axes[2].set(title="How many stars", xlabel="RMSE in stars (less is better)")
axes[2].margins(y=0.5)
axes[2].invert_yaxis()

# %%
# Among all films, pairs and factors are equally good, and much better than popularity. These three
# know nothing about the new films: the bars in the middle are the scores of the order of the
# catalogue. The hybrid keeps the ranking of the old films and finds who will see a new film. With
# ``content_scale="auto"``, the scores from content are larger: they count all interactions that a
# new film will ever have. If only the next five films count, as here, this shows new films to
# people who will first see an old one. Choose what your site wants.
#
# The titles alone, without any learning, are as good for new films here. On MovieLens a title says
# little: the hybrid is better (0.196 and 0.180 ± 0.008), and both are better than the order of the
# catalogue (0.069). The number of stars depends far more on the user and on the film than on the
# two together: the factors reduce the error by a hundredth of a star, and by no more on MovieLens
# (0.915 and 0.927 ± 0.018).
#
# Save and serve
# --------------
# A film that arrives tomorrow needs no new fit: ``with_items`` predicts its factors from its words.
import tempfile
from pathlib import Path

import joblib

tomorrow = ItemFeatures(["Another one like the first: " + texts.values[0]], ids=[10**9])
with tempfile.TemporaryDirectory() as folder:
    joblib.dump(models["hybrid"], Path(folder) / "films.joblib")
    served = joblib.load(Path(folder) / "films.joblib").with_items(tomorrow)
films, scores = served.recommend(X[:3], n_recommendations=5)
print(served.decode_items(films))
plt.show()
