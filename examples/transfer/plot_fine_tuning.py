# SPDX-License-Identifier: BSD-3-Clause
"""
Fine-tuning: from the shop next door to the first customers here
================================================================

Your new shop has few customers. Another shop has had many for years, and sells some of the same
things. Its customers are other people, and their histories must stay there. But it can give you a
trained network.

From how many own customers on is this network superfluous? And is it better to use it as it is, or
to train it further? Both are hyper-parameters, so a search can answer. We compare with the
popularity of the items and with a recommender without a network.
"""

# %%
# Two catalogues that overlap
# ---------------------------
# All customers of the generated data choose by taste and popularity among 300 items. The old shop
# sells 240 of them and the new one 150; 120 items are sold in both. Nobody is a customer of both.
import numpy as np

from sktransrec.datasets import make_cross_domain

generated = make_cross_domain(
    *(900, 300, 40), n_cold_users=0, n_components=8, source_density=0.1, random_state=0
).source.matrix
items = np.random.RandomState(0).permutation(300)
old_items, new_items = np.sort(items[:240]), np.sort(items[120:270])
X_old, X_new = generated[:700][:, old_items], generated[700:][:, new_items]

# %%
# A network to start from
# -----------------------
# ``item_ids`` names the items of the columns. The network is Mult-DAE without hidden layers: a
# denoising autoencoder that predicts the items of a customer.
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sktransrec import Autoencoder, EASERecommender, ReconstructionRecommender, ranking_scorer

learner = Autoencoder(
    n_components=32,
    hidden_layer_sizes=(),
    kind="denoising",
    loss="multinomial",
    activation="tanh",
    regularization=1e-3,
    epochs=50,
    batch_size=50,
    learning_rate=0.01,
    random_state=0,
)
trained = clone(learner).set_params(item_ids=old_items).fit(X_old)
tuned = clone(learner).set_params(pretrained=FrozenEstimator(trained), item_ids=new_items)
for layer in tuned.fit(X_new).transferred_layers_:
    print(layer)

# %%
# The input has a row and the output a column for each item. The weights of the common items were
# copied, and the others start from scratch. With ``trainable="head"``, the copied weights are
# frozen, except those of the output.
#
# What a search chooses
# ---------------------
# Cross-validation on the training customers chooses how long to train each model and, for the
# fine-tuned one, how strongly it is pulled back to where it started.
SCORER = ranking_scorer("ndcg", k=10, holdout=0.3, random_state=0)


def models(trained, item_ids):
    """Return the models to compare, by name."""

    def search(transformer, **grid):
        grid = {f"transformer__{name}": values for name, values in grid.items()}
        return GridSearchCV(ReconstructionRecommender(transformer), grid, scoring=SCORER, cv=2)

    scratch = clone(learner).set_params(item_ids=item_ids)
    tuned = clone(scratch).set_params(pretrained=FrozenEstimator(trained))
    frozen = clone(tuned).set_params(trainable="head")
    return {
        "fine-tuned": search(tuned, l2_sp=[0.1, 10.0]),
        "frozen but for the head": search(frozen, epochs=[10, 50]),
        "from scratch": search(scratch, epochs=[50, 150]),
        "EASE": GridSearchCV(
            EASERecommender(), {"regularization": [30, 100, 300]}, scoring=SCORER, cv=2
        ),
        "popularity": None,
    }


# %%
# Learning curves
# ---------------
# Half of the new customers are held out at a time, and 30 % of the items of each are hidden and
# looked for. The bands are one standard error over the customers. All models serve the same
# customers, so the difference of two models is more certain than the score of each.
import matplotlib.pyplot as plt

from sktransrec import transfer_learning_curve
from sktransrec.inspection import TransferLearningCurveDisplay


def print_gain(curve):
    """Print by how much fine-tuning beats a start from scratch, with paired standard errors."""
    gain = curve.scores["fine-tuned"] - curve.scores["from scratch"]
    gain = gain[:, ~np.isnan(gain[0])]
    errors = gain.std(axis=1, ddof=1) / np.sqrt(gain.shape[1])
    for size, mean, error in zip(curve.train_sizes, gain.mean(axis=1), errors, strict=True):
        print(f"fine-tuned over scratch, {size:3} rows: {mean:+.4f} ± {error:.4f}")


curve = transfer_learning_curve(
    models(trained, new_items), X_new, train_sizes=[10, 30, 100], cv=2, random_state=0
)
display = TransferLearningCurveDisplay.from_curve(curve)
display.ax_.set_title("A new shop (generated data)")
print(curve)
print_gain(curve)

# %%
# With ten customers, the network of the other shop more than doubles the score of popularity, and a
# network that starts from scratch is hardly better than popularity. With a hundred, the network
# from scratch is still behind. Whether the other network is trained further or frozen but for its
# head makes less difference than the bands can show.
#
# On MovieLens
# ------------
# :doc:`The results </results>` show the same models on MovieLens. There the customers of the old
# shop are the first 60 % of the users who joined, and those of the new shop the later ones. The
# network of the early users helps with ten late ones. From 30 on no gain is shown, and from 90 on
# EASE is ahead of all networks.
plt.show()
