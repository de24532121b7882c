"""
Did it help? Transfer, harm, and a product sold twice
=====================================================

A model that has seen a second domain is not better for that. The tastes may have nothing in
common, and then the source is noise. Or a product stands in both domains under two ids, and
finding it again passes for knowledge of taste.

We compare the same customers with the source and without it in three cases whose truth we know,
and let a gate decide which recommender to use.
"""

# %%
# Three pairs of domains
# ----------------------
# Films are the source, books the target, and all the customers are cold in books: X holds films
# only. In the first pair the tastes are the same, in the second they are unrelated. The third is
# the second with four books that the film shop sells as well, under ids of its own.
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
# regression goes from films to books. Without it, nothing is known of a cold customer, so that
# popularity is the best that one can do: that is what ``None`` stands for.
from sktransrec import RidgeRecommender, transfer_gain

gains = {
    name: transfer_gain(RidgeRecommender(), None, X, y, random_state=0)
    for name, (X, y) in pairs.items()
}
print(gains["related"])

# %%
# The first line is the comparison over all customers. Each customer is scored twice, and the
# interval is over the differences. The buckets say who is helped: here, everyone.
#
# Unrelated domains do harm: the regression finds patterns in noise and pays for them.
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
# ``TransferGate`` makes the comparison on its training rows and acts on it: the source serves
# everybody if it is shown to help, except buckets of customers whom it is shown to harm.
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
