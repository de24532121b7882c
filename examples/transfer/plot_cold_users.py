# SPDX-License-Identifier: BSD-3-Clause
"""
Cold users: what a dense domain says about a sparse one
=======================================================

Your shop has sold films for years and has just begun to sell books. Most customers have bought
films only: they are *cold* in books. Can their films tell which books they will like?

We learn features of taste from all film histories, learn the map to books from the few customers of
both, and recommend books to the cold customers. We compare with two baselines: the popularity of
the books, and a recommender that knows books only.
"""

# %%
# Two domains
# -----------
# The data are generated, so we know the truth: people choose by taste and by popularity, and their
# taste is the same in both domains (``relatedness=1``). All customers have a film history, and 150
# have bought books. We want to serve the cold ones.
from sktransrec.datasets import make_cross_domain

domains = make_cross_domain(
    n_users=1500,
    n_source_items=300,
    n_target_items=200,
    n_cold_users=500,
    overlap=0.1,
    source_density=0.1,
    target_density=0.03,
    random_state=0,
)
print(f"film histories to learn taste from: {domains.source.matrix.shape[0]}")
print(f"customers of both shops:            {domains.X_source.shape[0]}")
print(f"books a customer of both:           {domains.Y_target.sum(axis=1).mean():.1f}")

# %%
# A row is a customer, X holds films, y holds books. The books of the cold customers are kept for
# the test. A recommender that knows books only cannot serve a cold customer, so we give it one book
# of each. All three recommenders are tested on the other books.
from sktransrec.interactions import holdout_random

first_book, later_books = holdout_random(
    domains.Y_cold, domains.Y_cold.shape[1] - 1, random_state=0
)

# %%
# Learn taste in the source, the map to the target from the customers of both
# ----------------------------------------------------------------------------
# The autoencoder is fitted once, on all film histories. ``FrozenEstimator`` keeps it as it is,
# while the search fits the steps after it. Each fold holds out whole customers, so the search
# chooses what works for customers whom it has not seen. The test rows take no part in it.
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sktransrec import Autoencoder, RidgeRecommender, ranking_scorer

encoder = Autoencoder(
    n_components=16,
    hidden_layer_sizes=(),
    kind="denoising",
    loss="multinomial",
    activation="linear",
    epochs=60,
    batch_size=100,
    learning_rate=3e-3,
    random_state=0,
).fit(domains.source.matrix)

transfer = GridSearchCV(
    make_pipeline(FrozenEstimator(encoder), RidgeRecommender()),
    {"ridgerecommender__regularization": [1, 10, 100, 1000]},
    scoring=ranking_scorer("ndcg", k=10),
    cv=5,
).fit(domains.X_source, domains.Y_target)
print(transfer.best_params_)

# %%
# The two baselines
# -----------------
# Both learn from all customers who have bought books. The recommender that knows books only is
# tuned for its task: all books of a customer except one are hidden.
from sktransrec import ALSRecommender, PopularityRecommender

popularity = PopularityRecommender().fit(domains.target.matrix)
no_transfer = GridSearchCV(
    ALSRecommender(max_iter=10, random_state=0),
    {"n_components": [4, 8, 16], "regularization": [0.01, 0.03, 0.1]},
    scoring=ranking_scorer("ndcg", k=10, holdout=199, random_state=0),
    cv=5,
).fit(domains.target.matrix)
print(no_transfer.best_params_)

# %%
# Recall against the length of the list
# -------------------------------------
# ``recommend`` takes a recommender, a pipeline or a search. The first book is left out of all three
# rankings.
import matplotlib.pyplot as plt
import numpy as np

from sktransrec import recommend
from sktransrec.metrics import recall_at_k

lengths = np.arange(1, 31)
rankings = {
    "transfer: films, no book": recommend(
        transfer, domains.X_cold, n_recommendations=30, exclude_interactions=first_book
    )[0],
    "no transfer: one book": recommend(no_transfer, first_book, n_recommendations=30)[0],
    "popularity of the books": recommend(popularity, first_book, n_recommendations=30)[0],
}

figure, axes = plt.subplots(layout="constrained")
for name, items in rankings.items():
    by_row = np.array([recall_at_k(later_books, items, k=k, per_row=True) for k in lengths])
    by_row = by_row[:, ~np.isnan(by_row[0])]
    mean = by_row.mean(axis=1)
    error = by_row.std(axis=1, ddof=1) / np.sqrt(by_row.shape[1])
    axes.plot(lengths, mean, label=name)
    axes.fill_between(lengths, mean - error, mean + error, alpha=0.2)
    print(f"{name:26} recall@10 = {mean[9]:.3f} ± {error[9]:.3f}")
axes.set(
    xlabel="length of the list k",
    ylabel="recall at k",
    title="Books for customers known by their films",
    xlim=(1, 30),
    ylim=(0, None),
)
axes.legend()
figure.savefig("cold_users.png", dpi=100)

# %%
# For a cold customer, the films alone are better than one book, and one book is better than
# popularity. This is so because the tastes are related here. Set ``relatedness=0`` above: then the
# transfer is no better than popularity, because there is nothing to transfer.
#
# Save and serve
# --------------
# The winner is an ordinary pipeline.
import joblib

joblib.dump(transfer.best_estimator_, "transfer.joblib")
items, scores = recommend(joblib.load("transfer.joblib"), domains.X_cold[:2], n_recommendations=3)
print(items)
plt.show()
