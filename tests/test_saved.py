"""What is saved says by which version, and holds the training rows only where the docs say so."""

import io
import pickle
import warnings
from copy import deepcopy

import joblib
import numpy as np
import pytest
from sklearn.base import clone

import sktransrec
from sktransrec import InteractionEncoder, ItemFeatures, TextSequences
from sktransrec.testing._instances import ESTIMATORS

SAVED = [*ESTIMATORS, InteractionEncoder(), TextSequences(), ItemFeatures(np.eye(3))]


def name_of(item):
    return type(item).__name__


def by_pickle(item):
    return pickle.loads(pickle.dumps(item))


def by_joblib(item):
    file = io.BytesIO()
    joblib.dump(item, file)
    return joblib.load(file)


def by_skops(item):
    skops = pytest.importorskip("skops.io")
    file = skops.dumps(item)
    return skops.loads(file, trusted=skops.get_untrusted_types(data=file))


def clone_of_loaded(item):
    return by_pickle(clone(by_pickle(item)))


@pytest.mark.parametrize("item", SAVED, ids=name_of)
@pytest.mark.parametrize("ways", [by_pickle, by_joblib, by_skops, deepcopy, clone_of_loaded])
def test_a_version_loads_its_own_in_silence(item, ways):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = ways(item)
    assert type(loaded) is type(item)
    assert repr(loaded) == repr(item)
    assert "_sktransrec_version" not in vars(loaded)


@pytest.mark.parametrize("item", SAVED, ids=name_of)
def test_another_version_warns(item, monkeypatch):
    monkeypatch.setattr(sktransrec, "__version__", "7.8.9")
    saved = pickle.dumps(item)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(saved)
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="was saved by sktransrec 7") as caught:
        pickle.loads(saved)
    message = (
        f"{name_of(item)} was saved by sktransrec 7.8.9 and is loaded by {sktransrec.__version__}"
    )
    texts = [str(warning.message) for warning in caught if message in str(warning.message)]
    assert len(texts) == 1
    assert texts[0].endswith("or load it with sktransrec==7.8.9.")


def test_a_file_without_a_version_warns():
    model = sktransrec.EASERecommender()
    with pytest.warns(UserWarning, match=r"EASERecommender.* no version.*Fit it again"):
        model.__setstate__({"regularization": 3.0, "solver": "auto"})
    assert model.regularization == 3.0
