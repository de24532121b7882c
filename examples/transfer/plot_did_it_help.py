# SPDX-License-Identifier: BSD-3-Clause
"""
Did it help? Transfer, harm, and a product sold twice
=====================================================

A second domain does not always make a model better. The tastes may have nothing in common; then the
source is noise. Or a product may stand in both domains under two ids; then finding it again looks
like knowledge of taste.

We know the truth in three generated cases. In each, we serve the same customers with the source and
without it, and let a gate decide which recommender to use.
"""

# %%
# Three pairs of domains
# ----------------------
# Films are the source, books are the target, and all customers are cold in books: X holds films
# only. In the first pair the tastes are the same, in the second they are unrelated. The third pair
# is the second one plus four books that the film shop sells too, under other ids.
import numpy as np
import scipy.sparse as sp

from sktransrec.datasets import make_cross_domain

related = make_cross_domain(random_state=0)
unrelated = make_cross_domain(relatedness=0, random_state=0)
popular = np.argsort(-unrelated.Y_target.sum(axis=0))
sold_twice = unrelated.Y_target[:, popular[5:9]]
pairs = {
    "related": (related.X_source, related.Y_target),
    "unrelated": (unrelated.X_source, unrelated.Y_target),
    "unrelated, sold twice": (
        sp.hstack([unrelated.X_source, sold_twice], format="csr"),
        unrelated.Y_target,
    ),
}

# %%
# With the source and without it
# ------------------------------
# ``transfer_gain`` holds out whole customers, a fifth at a time. With the source, a ridge
# regression goes from films to books. Without it, nothing is known about a cold customer, so the
# best baseline is popularity: this is what ``None`` means.
from sktransrec import RidgeRecommender, transfer_gain

gains = {
    name: transfer_gain(RidgeRecommender(), None, X, y, random_state=0)
    for name, (X, y) in pairs.items()
}
print(gains["related"])

# %%
# The first line is the comparison over all customers. Each customer is scored twice, and the
# interval is that of the differences. The buckets show which customers gain: here, all of them.
#
# An unrelated domain does harm: the regression learns patterns from noise.
print(gains["unrelated"])

# %%
# The third case looks like a success, until the cross-listed books are left out.
print(gains["unrelated, sold twice"])

# %%
# The same as a picture
# ---------------------
import matplotlib.pyplot as plt

from sktransrec.inspection import TransferGainDisplay

figure, axes = plt.subplots(3, figsize=(7, 8), sharex=True, layout="constrained")
for ax, (name, gain) in zip(axes, gains.items(), strict=True):
    TransferGainDisplay.from_gain(gain, ax=ax)
    ax.set_title(f"{name}: {ax.get_title().lower()}")
    ax.label_outer()

# %%
# A gate
# ------
# ``TransferGate`` makes this comparison on its training rows and acts on it. If the source is shown
# to help, it is used for all customers, except buckets that it is shown to harm.
from sktransrec import PopularityRecommender, TransferGate
from sktransrec.metrics import ndcg_at_k

for name, domains in (("related", related), ("unrelated", unrelated)):
    gate = TransferGate(RidgeRecommender(), random_state=0)
    gate.fit(domains.X_source, domains.Y_target)
    always = RidgeRecommender().fit(domains.X_source, domains.Y_target)
    popularity = PopularityRecommender().fit(domains.Y_target)
    popular_items, _ = popularity.recommend(0 * domains.Y_cold)
    print(gate.decision_)
    print(
        f"{name}, NDCG@10 of new customers: "
        f"popularity {ndcg_at_k(domains.Y_cold, popular_items):.3f}, "
        f"always transfer {always.score(domains.X_cold, domains.Y_cold):.3f}, "
        f"gate {gate.score(domains.X_cold, domains.Y_cold):.3f}\n"
    )
plt.show()
