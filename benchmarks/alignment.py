# SPDX-License-Identifier: BSD-3-Clause
"""Alignment of two catalogues that share no items: does a model of one serve the other?

    python benchmarks/alignment.py

Rows are papers of CiteULike, columns are the people who saved them. One half of the papers is the
source, the other half the target. Ridge regression learns from the text vectors of the source and
recommends people for the papers of the target. The vectors of the target are changed in one of two
ways: "short texts" keeps 15 % of their words, "own axes" learns them without the source.

It prints NDCG@10 over all people, the difference to no alignment on the same rows, both with
standard errors, and the proxy A-distance of the vectors. Cross-validation in the source chooses the
regularization.
"""

import sys

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import mean_and_error, measure
from _search import WideningSearchCV
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import make_pipeline

import sktransrec as str_
from sktransrec.datasets import load_citeulike
from sktransrec.evaluation import proxy_a_distance
from sktransrec.metrics import ndcg_at_k

SHARE_OF_WORDS = 0.15
N_ANCHORS = (50, 100, 200)
GRID = {"regularization": [3, 10, 30, 100, 300, 1000]}


def split_papers(n_papers):
    """Return the words and the people of the papers of the source, and those of the target."""
    papers = load_citeulike()
    people = papers.interactions.T.tocsr()
    drawn = np.random.default_rng(0).permutation(papers.words.shape[0])[: 2 * n_papers]
    return [(papers.words[rows], people[rows]) for rows in np.split(drawn, 2)]


def fitted_vectors(words, n_components, random_state=0):
    """Return a function from words to vectors, learned from some words, at their scale."""
    model = make_pipeline(
        TfidfTransformer(sublinear_tf=True), TruncatedSVD(n_components, random_state=random_state)
    )
    scale = model.fit_transform(words).std()
    return lambda words: np.float32(model.transform(words) / scale)


def thinned(words):
    """Return the words of shorter texts."""
    words = words.copy()
    kept = np.random.default_rng(0).binomial(words.data.astype(int), SHARE_OF_WORDS)
    words.data = kept.astype(np.float32)
    words.eliminate_zeros()
    return words


def aligned(aligner, Z_source, Z_target, anchors=None):
    """Return both vectors as an aligner makes them, which has seen these and the anchors."""
    extra = Z_target[:0] if anchors is None else anchors
    X = np.vstack([Z_source, Z_target, extra])
    domain = np.repeat([1, -1], [len(Z_source), len(Z_target) + len(extra)])
    ids = {}
    if anchors is not None:
        ids["anchor_ids"] = np.full(len(X), -1)
        ids["anchor_ids"][: len(extra)] = np.arange(len(extra))
        ids["anchor_ids"][len(X) - len(extra) :] = np.arange(len(extra))
    both = aligner.fit(X, sample_domain=domain, **ids)
    if isinstance(aligner, str_.DomainAdversarialAutoencoder):
        codes = both.transform(Z_source), both.transform(Z_target)
        return [code / codes[0].std() for code in codes]
    return Z_source, both.transform(Z_target)


def adversarial(n_components):
    return str_.DomainAdversarialAutoencoder(
        n_components,
        hidden_layer_sizes=(),
        batch_size=256,
        epochs=60,
        learning_rate=3e-3,
        random_state=0,
    )


def table(name, Z_source, Z_target, y_source, y_target, ridge, anchors):
    """Return a line for each way of alignment."""

    def ndcg(Z_source, Z_target):
        people, _ = ridge.fit(Z_source, y_source).recommend(Z_target)
        return ndcg_at_k(y_target, people, per_row=True)

    ways = {
        "no alignment": lambda: (Z_source, Z_target),
        "CORALAligner": lambda: aligned(str_.CORALAligner(), Z_source, Z_target),
        "MMDAligner": lambda: aligned(str_.MMDAligner(random_state=0), Z_source, Z_target),
        "DomainAdversarialAutoencoder": lambda: aligned(
            adversarial(Z_source.shape[1]), Z_source, Z_target
        ),
        **{
            f"ProcrustesAligner, {n} anchors": lambda n=n: aligned(
                str_.ProcrustesAligner(), Z_source, Z_target, anchors[:n]
            )
            for n in N_ANCHORS
            if anchors is not None
        },
    }
    lines, without = [], None
    for way, vectors in ways.items():
        both, cost = measure(vectors)
        scores = ndcg(*both)
        without = scores if without is None else without
        distance = proxy_a_distance(*both, random_state=0)
        gain = mean_and_error(scores - without) if lines else None
        lines.append([f"{name}: {way}", mean_and_error(scores), gain, distance, cost.cpu_seconds])
        print(lines[-1][0], file=sys.stderr)
    return lines


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--n-papers", type=int, default=6000, help="papers of each catalogue")
    parser.add_argument("--n-components", type=int, default=64, help="length of the vectors")
    options = parser.parse_args()
    (words_source, y_source), (words_target, y_target) = split_papers(options.n_papers)
    vectors = fitted_vectors(words_source, options.n_components)
    own_vectors = fitted_vectors(words_target, options.n_components, random_state=1)
    Z_source = vectors(words_source)
    search = WideningSearchCV(
        str_.RidgeRecommender(), GRID, scoring=str_.ranking_scorer("ndcg", k=10), cv=3
    ).fit(Z_source, y_source)
    ridge = search.best_estimator_
    packages = ("sktransrec", "scikit-learn", "tensorflow")
    parameters = {"ridge": ridge, "grid of ridge": GRID}
    parameters["adversarial"] = adversarial(options.n_components)
    record = Record("alignment", __doc__, options, packages, seeds=[0, 1], parameters=parameters)
    popular, _ = str_.PopularityRecommender().fit(y_source).recommend(sp.csr_array(y_target.shape))
    same, _ = ridge.fit(Z_source, y_source).recommend(vectors(words_target))
    lines = [
        [name, mean_and_error(ndcg_at_k(y_target, people, per_row=True)), None, None, None]
        for name, people in (("popularity", popular), ("no distortion", same))
    ]
    anchors = own_vectors(words_source[: max(N_ANCHORS)])
    for name, Z_target, shared in (
        ("short texts", vectors(thinned(words_target)), None),
        ("own axes", own_vectors(words_target), anchors),
    ):
        lines += table(name, Z_source, Z_target, y_source, y_target, ridge, shared)
    columns = {"vectors of the target": "", "NDCG@10": ".4f", "gain": "+.4f", "distance": ".2f"}
    record.add("Alignment", columns | {"CPU s": ".2f"}, lines)
    record.save()


if __name__ == "__main__":
    main()
