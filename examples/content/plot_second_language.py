# SPDX-License-Identifier: BSD-3-Clause
"""
A shop in a second language: when to stop trusting the first one
================================================================

You have a shop with many customers, and open another in a second language. It has other customers
and other items, and nothing in common with the first but what the titles mean. On day one there is
no history at all. Then there are 20 customers, then 1,000.

A multilingual encoder brings the titles of both shops into one space. A stack learns in the first
shop what kinds of evidence to believe, and recommends in the second one from its first day. Later
it learns there too. The picture shows when the first shop stops being the better adviser.
"""

# %%
# Two shops
# ---------
# All data are generated. An item has a place in a space of tastes, and its title has ten words, of
# which some depend on that place. A word means a concept, and each language has four words of its
# own for a concept. Customers choose items near their taste, and popular ones more often.
import numpy as np
import scipy.sparse as sp

rng = np.random.default_rng(0)
N_TASTES, N_ITEMS = 8, 1000


def words_of(language, concepts):
    synonyms = rng.integers(4, size=concepts.shape)
    return [
        " ".join(f"{language}{concept}{'abcd'[which]}" for concept, which in zip(*row, strict=True))
        for row in zip(concepts, synonyms, strict=True)
    ]


def items(n_items):
    """Return the places of items, and the concepts of their titles."""
    places = rng.normal(size=(n_items, N_TASTES))
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    poles = np.hstack([places, -places])[:, None]
    told = (6 * poles + rng.gumbel(size=(n_items, 10, 2 * N_TASTES))).argmax(axis=2)
    said = rng.integers(2 * N_TASTES, 60, size=told.shape)
    return places, np.where(rng.uniform(size=told.shape) < 0.6, told, said)


def choices(places, n_users):
    """Return users x items; each user has chosen about 9 of them."""
    appeal = 3.0 * rng.normal(size=(n_users, N_TASTES)) @ places.T
    appeal -= 0.5 * np.log(rng.permutation(len(places)) + 1)
    appeal += rng.gumbel(size=appeal.shape)
    order = np.argsort(-appeal, axis=1)
    is_chosen = np.arange(len(places)) < rng.integers(5, 13, size=(n_users, 1))
    rows = np.repeat(np.arange(n_users), is_chosen.sum(axis=1))
    return sp.csr_array((np.ones(len(rows)), (rows, order[is_chosen])), shape=appeal.shape)


(places_1, concepts_1), (places_2, concepts_2) = items(N_ITEMS), items(N_ITEMS)
titles_1, titles_2 = words_of("en", concepts_1), words_of("he", concepts_2)
X_1, X_2 = choices(places_1, 1000), choices(places_2, 2000)
print(f"first shop: {X_1.shape}, {titles_1[0][:40]!r}...")
print(f"second shop: {X_2.shape}, {titles_2[0][:40]!r}...")

# %%
# One encoder for both languages
# ------------------------------
# Here the encoder has learned from pages that stand in both languages, by the singular vectors of
# their words. For real titles, take a multilingual language model, such as
# ``SentenceTransformerModel("intfloat/multilingual-e5-small", prompt="query: ")``.
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sktransrec import ItemFeatures

_, concepts = items(3000)
pages = [
    " ".join(page)
    for page in zip(*(words_of(each, concepts) for each in ("en", "he")), strict=True)
]
encoder = make_pipeline(TfidfVectorizer(), TruncatedSVD(50, random_state=0)).fit(pages)

first = ItemFeatures(titles_1).encoded(encoder)
second = ItemFeatures(titles_2).encoded(encoder)

# %%
# Day one
# -------
# The stack of the first shop weighs the mean of a basket, its best match and item links.
# ``with_item_features`` takes it to the second shop as it is.
from sktransrec import StackingRecommender, content_members


def members(vectors):
    return content_members(vectors, {"vectors": None}, decay=None)


source = StackingRecommender(members(first), random_state=0).fit(X_1)
day_one = source.with_item_features(second)

# %%
# 20 customers, 1,000 customers
# -----------------------------
# 1,000 other customers of the second shop judge all models: a third of their items is held out.
# From the first n customers learn
#
# - popularity,
# - EASE, which has never heard of the first shop and reads no titles,
# - a stack with titles, which starts from the weights of the first shop.
from sklearn.frozen import FrozenEstimator

from sktransrec import EASERecommender, PopularityRecommender, holdout_random
from sktransrec.metrics import ndcg_at_k

known, wanted = holdout_random(X_2[1000:], 1 / 3, random_state=0)


def quality(model):
    return ndcg_at_k(wanted, model.recommend(known)[0], k=10, per_row=True)


def stack(X):
    prior = FrozenEstimator(source)
    return StackingRecommender(members(second), prior=prior, random_state=0).fit(X)


sizes = [5, 20, 50, 100, 200, 500, 1000]
models = {
    "titles and customers": stack,
    "customers alone": EASERecommender().fit,
    "popularity": PopularityRecommender().fit,
}
curves = {name: np.array([quality(fit(X_2[:n])) for n in sizes]) for name, fit in models.items()}
without_customers = quality(day_one)


def mean_and_error(values):
    return values.mean(axis=-1), values.std(axis=-1, ddof=1) / np.sqrt(values.shape[-1])


print("customers, and what the stack gains over day one:")
for n, gain in zip(sizes, curves["titles and customers"] - without_customers, strict=True):
    mean, error = mean_and_error(gain)
    print(f"{n:9}: {mean:+.3f} ± {error:.3f}")

# %%
# When to stop trusting the first shop
# ------------------------------------
# The bars and the grey band are standard errors over the customers who judge.
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
mean, error = mean_and_error(without_customers)
axes.axhspan(mean - error, mean + error, color="0.85")
axes.axhline(mean, color="0.4", linestyle="--")
axes.text(5, mean + 1.4 * error, "day one, no customers", color="0.3")
for name, color in zip(curves, ["C0", "C1", "C2"], strict=True):
    means, errors = mean_and_error(curves[name])
    axes.errorbar(sizes, means, errors, color=color, marker="o", capsize=2)
    axes.text(1200, means[-1], name, color=color, va="center")
axes.set(xscale="log", xlim=(4, 1150), ylim=(0, None), xticks=sizes, xticklabels=sizes)
axes.minorticks_off()
axes.spines[["right", "top"]].set_visible(False)
axes.set(xlabel="customers of the second shop (log scale)", ylabel="NDCG@10")
axes.set_title("Three stages of a shop in a second language", loc="left")

# %%
# - **Up to about 50 customers**, nothing is better than the stack of the first shop. Leave it
#   alone: learning from 20 customers makes it a little worse, because some links between items are
#   chance. Customers without titles reach little more than half of it.
# - **From about 100 customers on**, let it learn. The first shop is still its prior, but the
#   customers of the second one decide.
# - **From about 200 customers on**, customers alone say more than the first shop. Titles still
#   help, and new items need them anyway.
#
# In your shops, the numbers are other ones: they depend on what titles tell, and on how many items
# each customer takes. Compare both on held-out customers, as above, and change over when the gain
# is larger than two standard errors.
plt.show()
