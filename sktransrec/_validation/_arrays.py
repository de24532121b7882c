# SPDX-License-Identifier: BSD-3-Clause
"""Checks of X: matrices of interactions, features, tables and texts."""

import re
import reprlib
import warnings
from collections.abc import Mapping, Set
from contextlib import contextmanager, suppress
from datetime import date, time, timedelta
from numbers import Real

import numpy as np
import scipy.sparse as sp
from sklearn.utils import indexable

from .._columns import check_row_labels
from ._finite import check_magnitude, largest_magnitude
from ._plain import plain_numbers, plain_rows
from ._raw_logs import (
    check_no_histories,
    check_no_log,
    errors_about_interactions,
    errors_about_transactions,
)
from ._sklearn import _sklearn_check_array, _sklearn_validate_data
from ._sparse_faults import check_sparse

# One float32 for each of these columns takes 400 MB.
_MAX_COLUMNS = 10**8

SPARSE_FORMATS = ("csr", "csc", "coo")

_TIMES = (np.datetime64, np.timedelta64, date, time, timedelta)


@contextmanager
def reading(X, *, name):
    """Let errors about X name the argument, and turn those of conversions into ValueErrors."""
    if np.ma.is_masked(X):
        raise ValueError(
            f"{name} is a masked array, and the mask would be ignored: pass {name}.filled(0)."
        )
    try:
        with np.errstate(all="ignore"):
            yield
    except (TypeError, ValueError) as error:
        if re.search(rf"\b{name}\b", str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{name}: {error}") from error
    except (ArithmeticError, AssertionError, AttributeError, LookupError) as error:
        raise ValueError(
            f"{name} cannot be read as numbers: {type(error).__name__}: {error}"
        ) from error


def as_array(X, *, name):
    """Return X as an array, or unchanged if it is sparse."""
    if sp.issparse(X):
        return X
    with reading(X, name=name):
        return np.asarray(X)


def check_array(X, *, input_name, **options):
    """Check X as scikit-learn does, and also broken sparse matrices and numbers that overflow."""
    X = _sound(X, input_name)
    plain = plain_numbers(X, options)
    if plain is not None:
        return plain
    _check_real(X, input_name)
    with reading(X, name=input_name):
        X = _single(_sklearn_check_array(X, input_name=input_name, **options))
    if options.get("ensure_all_finite", True) is True:
        check_magnitude(X, name=input_name)
    return X


def validate_data(estimator, X, y="no_validation", **options):
    """Check X, and y if it is passed, as scikit-learn does, with the checks of `check_array`."""
    X = _sound(X, "X")
    plain = plain_rows(estimator, X, options) if isinstance(y, str) else None
    if plain is not None:
        return plain
    check_sparse(y, name="y")
    y = _without_repeated_flags(y)
    if not options.get("skip_check_array"):
        _check_real(X, "X")
    with reading(X, name="X"):
        valid = _sklearn_validate_data(estimator, X, y, **options)
    if not options.get("skip_check_array"):
        arrays = [_single(array) for array in (valid if isinstance(valid, tuple) else [valid])]
        for name, array in zip("Xy", arrays, strict=False):
            check_magnitude(array, name=name)
        return tuple(arrays) if isinstance(valid, tuple) else arrays[0]
    return valid


def _sound(X, name):
    """Return X without repeated flags; raise if it is sparse, and broken or too wide."""
    if not sp.issparse(X):
        return X
    check_sparse(X, name=name)
    _check_width(X, name)
    return _without_repeated_flags(X)


def _without_repeated_flags(X):
    """Return X; a repeated entry of a sparse matrix of booleans, which is one, would be summed."""
    if not sp.issparse(X) or X.dtype != bool or getattr(X, "has_canonical_format", True):
        return X
    X = X.copy()
    X.sum_duplicates()
    return X


def _single(X):
    """Return X, in single precision if it has half, whose squares overflow from 256 on."""
    return X.astype(np.float32) if X.dtype == np.float16 else X


def check_matrix(X, *, name, nonnegative=False):
    """Return X, dense or sparse, as a canonical float32 `csr_array`, without an estimator."""
    with errors_about_interactions(name):
        X = check_array(X, accept_sparse=SPARSE_FORMATS, dtype=np.float32, input_name=name)
    X = _canonical_csr(X)
    if nonnegative:
        _check_nonnegative(X, name)
    return X


def check_rows(estimator, X, *, reset, dtype=np.float32, allow_nan=False):
    """Return X as an ndarray, or as a canonical `csr_array` if it is sparse."""
    options = {"accept_sparse": SPARSE_FORMATS, "dtype": dtype}
    if allow_nan:
        options["ensure_all_finite"] = "allow-nan"
    with errors_about_transactions("X"), _errors_about_features(X, type(estimator).__name__):
        X = validate_data(estimator, X, reset=reset, **options)
    return _canonical_csr(X) if sp.issparse(X) else X


@contextmanager
def _errors_about_features(X, reader):
    """Turn scikit-learn's errors about NaN and texts into errors with a cure for rows."""
    try:
        yield
    except ValueError as error:
        if "contains NaN" in str(error):
            raise ValueError(
                "X contains NaN. If its columns are items, a missing interaction is a zero: pass "
                "X.fillna(0) for a DataFrame or np.nan_to_num(X) for an array. Fill in missing "
                "features, for example with SimpleImputer."
            ) from error
        if "could not convert string" not in str(error):
            raise
        if np.ndim(X) == 1:
            raise ValueError(
                f"X has one dimension, and {reader} needs rows and columns: pass a column of "
                "categories as a table, such as X.to_frame(). Turn documents into numbers first, "
                "for example with TfidfVectorizer."
            ) from error
        raise ValueError(
            f"{error}. {reader} needs numbers: encode categories first, for example with "
            "OneHotEncoder."
        ) from error


def check_rows_or_content(estimator, X, *, reset, **options):
    """Return X as `check_rows` does; texts, and tables with texts, are returned unchanged."""
    if not is_content(X):
        return check_rows(estimator, X, reset=reset, **options)
    _check_no_sparse_objects(X)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return X if hasattr(X, "select_dtypes") else np.asarray(check_documents(X), dtype=object)


def check_table(estimator, X, *, reset):
    """Return X as a DataFrame, or as an array of objects."""
    _check_no_sparse_objects(X)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return X if hasattr(X, "columns") else np.asarray(X, dtype=object)


def _check_no_sparse_objects(X):
    """Raise if a table has columns that pandas makes and nothing else reads."""
    for name, dtype in X.dtypes.items() if hasattr(X, "select_dtypes") else ():
        if getattr(getattr(dtype, "subtype", None), "kind", None) == "O":
            raise ValueError(
                f"The column {name!r} of X is sparse and holds objects: pass X with the column as "
                f"X[{name!r}].sparse.to_dense()."
            )


def is_table(X):
    """Return whether X is dense and holds texts or categories, in two dimensions."""
    if hasattr(X, "select_dtypes"):
        return is_content(X)
    if sp.issparse(X):
        return False
    try:
        values = np.asarray(X)
    except ValueError:
        return False
    return values.ndim == 2 and (
        values.dtype.kind in "US"
        or (values.dtype == object and any(isinstance(value, str) for value in values.ravel()))
    )


def is_content(X):
    """Return whether X is a sequence of texts, or a table with columns that are not numbers."""
    if hasattr(X, "select_dtypes"):
        others = X.select_dtypes(exclude=["number", "bool"])
        return others.shape[1] > 0 and not (len(X) and _are_numbers(others))
    if sp.issparse(X):
        return False
    is_sequence = isinstance(X, list | tuple) or getattr(X, "ndim", 0) == 1
    return is_sequence and len(X) > 0 and isinstance(next(iter(X)), str)


def _are_numbers(table):
    """Return whether all columns hold numbers, also those of a type that may hold anything."""
    if "category" in map(str, table.dtypes):
        return False
    return all(isinstance(value, Real) for value in table.to_numpy(dtype=object).ravel())


def indexable_rows(*parts):
    """Return what rows can be taken from, all of one length; lists of numbers become arrays."""
    return indexable(*map(_without_lists, parts))


def _without_lists(X):
    try:
        values = np.asarray(X) if isinstance(X, list | tuple) else None
    except ValueError:  # histories of several lengths
        return X
    is_matrix = values is not None and values.ndim == 2 and values.dtype.kind in "biuf"
    return values if is_matrix else X


def check_interactions(estimator, X, *, reset, nonnegative=True):
    """Return X, dense or sparse, as a canonical float32 `csr_array` of interactions."""
    if reset:
        check_no_log(X, name="X")
        check_no_histories(X)
    options = {"reset": reset, "accept_sparse": SPARSE_FORMATS, "dtype": np.float32}
    with errors_about_interactions("X"):
        X = validate_data(estimator, X, **options)
    X = _canonical_csr(X)
    if nonnegative:
        _check_nonnegative(X, "X")
    if reset and X.nnz == 0:
        raise ValueError(
            f"X holds no interactions: all of its {X.shape[0]} x {X.shape[1]} entries are zero. "
            "Pass a matrix with at least one stored positive value."
        )
    if reset:
        _check_not_tiny(X, "X")
    return X


def _check_not_tiny(X, name):
    """Raise if all values of X are so small that their inverses would overflow."""
    largest, smallest_allowed = np.abs(X.data).max(initial=0), 1 / largest_magnitude(X.dtype)
    if 0 < largest < smallest_allowed:
        raise ValueError(
            f"{name} holds only numbers up to {largest:.3g} in magnitude, too small for {X.dtype}, "
            f"which needs {smallest_allowed:.0e} or more: scale {name}, for example to a largest "
            "value of 1."
        )


def check_sample_domain(sample_domain, X, n_rows, *, both=False):
    """Return the mask of the rows of the source, or None if `sample_domain` is None.

    `sample_domain` is a number for each row, or one for all: above zero for the source, below zero
    for the target. X are the rows as they were passed, with their labels if they have some. With
    `both`, there must be rows of both domains.
    """
    if sample_domain is None:
        return None
    check_row_labels(X, sample_domain, name="sample_domain")
    labels = np.asarray(sample_domain)
    if labels.shape not in ((), (n_rows,)) or labels.dtype.kind not in "iuf":
        raise ValueError(
            f"sample_domain has shape {labels.shape} and dtype {labels.dtype}, but X has {n_rows} "
            "rows: pass a number for each row, above zero for the source and below zero for the "
            "target."
        )
    labels = np.broadcast_to(labels, (n_rows,))
    if not ((labels > 0) | (labels < 0)).all():
        raise ValueError(
            "sample_domain holds zeros or NaN: pass 1 for the rows of the source and -1 for those "
            "of the target."
        )
    is_source = labels > 0
    if both and (is_source.all() or not is_source.any()):
        raise ValueError(
            f"All rows of sample_domain are of the {'source' if is_source[0] else 'target'}: pass "
            "rows of both domains, above zero for the source and below zero for the target, or "
            "None."
        )
    return is_source


def warn_of_ignored_domains(y, sample_domain):
    """Warn if the ignored y of `fit` holds what looks like the domains of the rows."""
    if sample_domain is None and _are_signs(y):
        warnings.warn(
            "y is ignored, and it holds -1 and 1: if these are the domains of the rows, pass them "
            "as sample_domain=... Without it, all rows count as those of one domain.",
            UserWarning,
            stacklevel=3,
        )


def _are_signs(y):
    """Return whether y holds the numbers -1 and 1 and nothing else."""
    with suppress(TypeError, ValueError):  # whatever else it is
        labels = np.asarray(y)
        return labels.dtype.kind in "if" and set(np.unique(labels)) == {-1, 1}
    return False


def check_documents(X):
    """Return the documents of a 1-D collection as a list of str."""
    shape = getattr(X, "shape", (None,))
    if isinstance(X, str | bytes | Mapping | Set) or not hasattr(X, "__iter__") or len(shape) != 1:
        found = f"of shape {shape}" if hasattr(X, "shape") else f"a {type(X).__name__}"
        raise ValueError(
            f"X must be a 1-D sequence of documents, got {found}. Select a column of a table with "
            "table['text'], not with table[['text']]. Put a single document in a list."
        )
    documents = list(X)
    if not documents:
        raise ValueError("X holds no documents: pass at least one.")
    for row, document in enumerate(documents):
        if not isinstance(document, str):
            raise ValueError(
                f"Row {row} of X is {reprlib.repr(document)}, of type {type(document).__name__}: "
                "every document must be a str. Decode bytes, and pass '' if there is no text."
            )
    return documents


def _canonical_csr(X):
    """Return X as a sorted `csr_array` without duplicates or stored zeros; X does not change."""
    canonical = X if type(X) is sp.csr_array else sp.csr_array(X)
    index_dtype = np.int32 if max(*canonical.shape, canonical.nnz) < 2**31 else np.int64
    if canonical.indices.dtype != index_dtype:
        canonical = shallow_copy(canonical)
        canonical.indices = canonical.indices.astype(index_dtype)
        canonical.indptr = canonical.indptr.astype(index_dtype)
    if not canonical.has_canonical_format or not canonical.data.all():
        canonical = canonical.copy()
        canonical.sum_duplicates()
        canonical.eliminate_zeros()
    return canonical


def shallow_copy(X):
    """Return a sparse matrix on the same arrays; a constructor checks them, `copy` takes longer."""
    copied = object.__new__(type(X))
    vars(copied).update(vars(X))
    return copied


def _check_width(X, name):
    if X.ndim != 2:
        raise ValueError(
            f"{name} is a sparse array of shape {X.shape}, and needs rows and columns: pass "
            f"{name}.reshape(1, -1) if it is one row."
        )
    check_numbering(X.shape[1] - 1, name, "column")


def _check_real(X, name):
    """Raise if X holds times or complex numbers, which numpy makes other numbers of."""
    for what, kind in filter(None, map(_unreal, _columns(X))):
        # The words that scikit-learn asks of every estimator.
        reason = "Complex data not supported: " if what == "complex numbers" else ""
        cure = "their magnitudes" if reason else "what they mean, such as a number of days"
        raise ValueError(
            f"{reason}{name} holds {what}, of type {kind}, and needs real numbers: leave them out, "
            f"or pass {cure}."
        )


def _columns(X):
    """Yield the columns of a table that may be no real numbers, or the one array that X is."""
    if isinstance(X, list | tuple):
        with suppress(ValueError):
            yield np.asarray(X)
    elif hasattr(X, "select_dtypes"):
        for place, dtype in enumerate(X.dtypes):
            if dtype.kind not in "biuf":
                yield X.iloc[:, place]
    elif hasattr(X, "get_columns"):
        yield from X.get_columns()
    elif hasattr(X, "dtype"):
        yield X


def _unreal(values):
    """Return what an array or column holds besides real numbers and its type, or None."""
    dtype = values.dtype
    if hasattr(dtype, "categories"):
        values = getattr(dtype.categories, "array", dtype.categories)
        dtype = values.dtype
    dtype = getattr(dtype, "subtype", dtype)
    kind = getattr(dtype, "kind", None)
    if kind in ("m", "M") or (hasattr(dtype, "is_temporal") and dtype.is_temporal()):
        return "times", dtype
    if kind == "c":
        return "complex numbers", dtype
    if kind == "O" and not sp.issparse(values):
        return next(filter(None, map(_unreal_object, np.ravel(np.asarray(values, object)))), None)
    return None


def _unreal_object(value):
    if isinstance(value, _TIMES):
        return "times", type(value).__name__
    return ("complex numbers", type(value).__name__) if np.iscomplexobj(value) else None


def are_integers(X):
    """Return whether X holds integers, whatever its type."""
    return X.dtype.kind in "biu" or (X.dtype.kind == "f" and np.array_equal(X, np.floor(X)))


def check_numbering(largest, name, what):
    """Raise if a column number is so large that it must be an id."""
    if largest >= _MAX_COLUMNS:
        raise ValueError(
            f"{name} has the {what} {largest}, and models hold numbers for every {what} up to the "
            "largest one. It looks like an id of a log: number the items with InteractionEncoder."
        )


def _check_nonnegative(X, name, *, cure=None):
    cure = cure or "Interactions are counts or strengths: drop or shift the negative ones."
    smallest = (X.data if sp.issparse(X) else X).min(initial=0)
    if smallest < 0:
        raise ValueError(
            f"Negative values in data passed to {name}: the smallest is {smallest:g}. {cure}"
        )
