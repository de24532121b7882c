# SPDX-License-Identifier: BSD-3-Clause
"""
Other customers: what can be learned from people one does not have
==================================================================

Two shops have no customer in common. If they sell some of the same things, what the customers of
one buy says which of these things go together for those of the other. If they do not, what is
left is a pattern: which kind of customer likes which kind of thing.

The first case is a factorisation in which things sold by both shops have the same factors, the
second a codebook of clusters. A gate decides whether to believe it.
"""

# %%
# Two logs with some of the same things
# -------------------------------------
# All customers choose by taste and popularity among 300 things. The old shop sells 240 of them, the
# new one 150, of which 120 in common. Both number their customers from 0.
import numpy as np

from sktransrec.datasets import make_cross_domain

X = make_cross_domain(
    *(660, 300, 40), n_cold_users=0, n_components=8, source_density=0.1, random_state=0
).source.matrix
things = np.random.RandomState(0).permutation(300)


def log_of(rows, sold):
    """Return who bought which of the things sold."""
    users, columns = X[rows][:, sold].nonzero()
    return {"user": users, "item": [f"thing {sold[column]}" for column in columns]}


old_log, new_log = log_of(slice(0, 600), things[:240]), log_of(slice(600, None), things[120:270])

# %%
# One matrix of both
# ------------------
# The customers of either log are rows, and each shop has its own columns. ``item_ids`` says which
# columns are the same thing; equal numbers of customers mean nothing here (``on="items"``).
from sktransrec import stack_domains

stacked = stack_domains(old_log, new_log, on="items")
print(stacked.X.shape, "of which", stacked.target_columns[0], "columns are the old shop's")
print(len(np.unique(stacked.item_ids)), "things in all")

# %%
# How much should the old shop weigh?
# -----------------------------------
# We hide an item of each customer of the new shop, and learn from what is left. A weight near zero
# is the new shop alone.
import matplotlib.pyplot as plt

from sktransrec import CollectiveMFRecommender, PopularityRecommender, holdout_random
from sktransrec.metrics import held_out_ranks

new_rows = stacked.target_rows
known, hidden = holdout_random(stacked.X[new_rows], 1, random_state=0)
X_train = stacked.X.tolil()
X_train[new_rows] = known
X_train = X_train.tocsr()


hidden = hidden[:, stacked.target_columns]


def ndcg(model, known):
    """Return the NDCG@10 of each hidden item."""
    _, _, ranks = held_out_ranks(model, known, hidden)
    return np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)


def mean_and_error(values):
    return values.mean(axis=-1), values.std(axis=-1) / np.sqrt(values.shape[-1])


weights = [1e-4, 0.01, 0.03, 0.1, 0.3, 1.0]
model = CollectiveMFRecommender(
    stacked.target_columns, 8, item_ids=stacked.item_ids, regularization=0.02, random_state=0
)
curve = np.array(
    [ndcg(model.set_params(source_weight=weight).fit(X_train), known) for weight in weights]
)
known_target = known[:, stacked.target_columns]
popularity = ndcg(PopularityRecommender().fit(known_target), known_target)
for weight, mean in zip(weights, curve.mean(axis=1), strict=True):
    print(f"source_weight={weight:<6} NDCG@10 {mean:.3f}")
print(f"popularity           NDCG@10 {popularity.mean():.3f}")
gains, errors = mean_and_error(curve[1:] - curve[0])
figure, ax = plt.subplots(layout="constrained")
ax.errorbar(weights[1:], gains, errors, marker="o", capsize=3)
ax.axhline(0, color="grey", linewidth=1)
ax.set(
    xscale="log",
    xlabel="source_weight",
    xticks=weights[1:],
    xticklabels=weights[1:],
    ylabel=f"gain in NDCG@10 (the new shop alone: {curve[0].mean():.3f})",
)
ax.set_title("Old customers help the new shop, if they weigh enough")
ax.minorticks_off()

# %%
# With a weight near zero, the new shop is alone: this is the grey line. The customers of the old
# shop are worth a third more of NDCG here, if they weigh enough. All models serve the same sixty
# customers, so the bars are standard errors of the gain, and not of the scores.
#
# Nothing in common but a pattern
# -------------------------------
# In these domains no thing is sold in both. Clusters of customers and of things were drawn anew for
# each, but which cluster likes which is the same. The codebook of the source says so.
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from sktransrec import CodebookRecommender, TransferGate
from sktransrec.datasets import make_cluster_domains


def gate_of(relatedness):
    """Return a gate between the codebook of a source and one of the target's own."""
    domains = make_cluster_domains(n_target_users=100, relatedness=relatedness, random_state=3)
    own = CodebookRecommender(n_init=10, random_state=0)
    source = FrozenEstimator(clone(own).fit(domains.X_source))
    transferred = clone(own).set_params(pretrained=source)
    return TransferGate(transferred, own, n_buckets=1, random_state=0).fit(domains.X_target)


print(gate_of(relatedness=1).decision_)

# %%
# The gate does without, as the source is not shown to help. It is right to: a hundred customers
# teach a codebook as good. Where the pattern is another one, the gate does without as well.
print(gate_of(relatedness=0).decision_)
plt.show()
