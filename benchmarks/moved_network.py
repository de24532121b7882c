# SPDX-License-Identifier: BSD-3-Clause
"""A network that learns how people choose in several shops, moved to a shop of other items.

    python benchmarks/moved_network.py --target office --sources arts food electronic

The network reads items by their texts: words (TF-IDF) of all catalogues, reduced to 128 components
and whitened. It learns from 1,500 users of each source, with the parameters of
`benchmarks/next_item.py`. A share of the target's users then teaches it further: only the map from
texts to item vectors, or all of it. The last items of 500 other users are looked for, as in
`benchmarks/content_transfer.py`, whose catalogues these are. "Over the words" is the difference,
user by user, to content neighbours by words, which learn from nobody.
"""

import sys

import numpy as np
from _record import Record, argument_parser, record_name
from _report import in_percent, mean_and_error, measure
from content_transfer import CATALOGUES, DECAY
from next_item import network
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from sktransrec import (
    ContentKNNRecommender,
    HistoryRecommender,
    ItemFeatures,
    PopularityRecommender,
)

NAME = "moved_network"
PACKAGES = ("sktransrec", "tensorflow", "keras", "numpy")
N_SOURCE_USERS = 1500
ENCODER = "attention"
SHARES = (0.05, 1.0)


def whitener(n_components):
    """Return what makes whitened vectors of texts, unfitted."""
    return make_pipeline(
        TfidfVectorizer(sublinear_tf=True, min_df=2),
        TruncatedSVD(n_components, random_state=0),
        StandardScaler(),
        Normalizer(),
    )


def vectors_of(catalogues, n_components):
    """Return the whitened vectors of the items of each catalogue."""
    texts = [catalogue.texts() for catalogue in catalogues]
    made = whitener(n_components).fit_transform(np.concatenate(texts))
    return np.split(made.astype(np.float32), np.cumsum([len(each) for each in texts])[:-1])


def joined(histories, n_items):
    """Return the histories of several catalogues as those of one that has all their items."""
    offsets = np.cumsum([0, *n_items[:-1]])
    return np.concatenate(
        [
            np.where(rows > 0, rows + offset, 0)
            for rows, offset in zip(histories, offsets, strict=True)
        ]
    )


def content_neighbors(features):
    return HistoryRecommender(
        ContentKNNRecommender(features), decay=DECAY, n_items=features.n_items
    )


def models(target, vectors, source):
    """Yield the name and the share of users of each model, and the model, fitted."""
    words, of_target = ItemFeatures(target.texts()), ItemFeatures(vectors)
    learner = network(ENCODER, item_features=of_target, random_state=0)
    moved = {"pretrained": FrozenEstimator(source)}
    yield "content neighbours, words", 0, content_neighbors(words).fit(target.histories)
    yield "content neighbours, whitened", 0, content_neighbors(of_target).fit(target.histories)
    yield "moved network", 0, source.with_item_features(of_target)
    for share in SHARES:
        X = target.with_share(share).histories
        popularity = HistoryRecommender(
            PopularityRecommender(), decay=1, n_items=of_target.n_items
        ).fit(X)
        yield "popularity", share, popularity
        learner.set_params(pretrained=None, trainable="all")
        yield "network from scratch", share, learner.fit(X)
        learner.set_params(**moved, trainable="head")
        yield "moved network, map of texts trained", share, learner.fit(X)
        learner.set_params(trainable="all")
        yield "moved network, all trained", share, learner.fit(X)


def quality(target, vectors, source):
    """Yield the lines of the table."""
    words = None
    for name, share, model in models(target, vectors, source):
        ndcg, hits = target.found(model)
        words = ndcg if words is None else words
        figures = [in_percent(mean_and_error(each)) for each in (ndcg, hits, ndcg - words)]
        cells = [*figures[:2], figures[2] if name != "content neighbours, words" else None]
        print(name, share, *cells, file=sys.stderr)
        yield [f"{name}, {share:.0%} of the users", *cells]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--target", choices=list(CATALOGUES), default="office")
    parser.add_argument(
        "--sources", nargs="+", choices=list(CATALOGUES), default=["arts", "food", "electronic"]
    )
    parser.add_argument("--n-components", type=int, default=128, help="length of the vectors")
    arguments = parser.parse_args()
    target, *sources = (CATALOGUES[name]() for name in (arguments.target, *arguments.sources))
    of_target, *of_sources = vectors_of([target, *sources], arguments.n_components)
    shares = [min(1, N_SOURCE_USERS / len(each.histories)) for each in sources]
    histories = [
        each.with_share(share).histories for each, share in zip(sources, shares, strict=True)
    ]
    X = joined(histories, [each.features.n_items for each in sources])
    source = network(
        ENCODER, item_features=ItemFeatures(np.concatenate(of_sources)), random_state=0
    )
    source, cost = measure(source.fit, X)
    record = Record(
        record_name(NAME, arguments.target),
        __doc__,
        arguments,
        PACKAGES,
        seeds=[0],
        parameters={
            "network": network(ENCODER, random_state=0),
            "vectors": whitener(arguments.n_components),
            "decay of neighbours": DECAY,
        },
        data=f"{len(X)} histories of the sources, {len(target.histories)} of the target",
        cpu_seconds_of_source=round(cost.cpu_seconds, 1),
    )
    columns = {"model": "", "NDCG@10": ".2f", "HR@10": ".2f", "NDCG@10 over the words": "+.2f"}
    record.add(f"In per cent, {arguments.target}", columns, quality(target, of_target, source))
    record.save()


if __name__ == "__main__":
    main()
