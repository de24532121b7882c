"""Input checks, and the only door to scikit-learn's private validation helpers."""

import functools
import numbers
import re
import reprlib
from collections.abc import Mapping, Set
from contextlib import contextmanager

import numpy as np
import scipy.sparse as sp
from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._chunking import get_chunk_n_rows
from sklearn.utils._param_validation import HasMethods, StrOptions, validate_params
from sklearn.utils._param_validation import Interval as _SklearnInterval
from sklearn.utils.metaestimators import _BaseComposition
from sklearn.utils.validation import _check_sample_weight, check_is_fitted
from sklearn.utils.validation import check_array as _sklearn_check_array
from sklearn.utils.validation import validate_data as _sklearn_validate_data

from .._histories import is_padded_at_one_end
from .._ids import distinct_ids
from ._finite import check_learned, check_magnitude, largest_magnitude
from ._raw_logs import check_no_log, errors_about_interactions
from ._sparse_faults import check_sparse

__all__ = [
    "N_JOBS",
    "HasMethods",
    "Interval",
    "StrOptions",
    "_BaseComposition",
    "_check_sample_weight",
    "_fit_context",
    "_safe_indexing",
    "as_array",
    "check_array",
    "check_candidates",
    "check_count",
    "check_documents",
    "check_exclusions",
    "check_histories",
    "check_interactions",
    "check_is_fitted",
    "check_item_ids",
    "check_matrix",
    "check_no_log",
    "check_numbering",
    "check_padded",
    "check_relevance",
    "check_rows",
    "check_rows_or_content",
    "check_sample_domain",
    "check_sparse",
    "check_table",
    "check_targets",
    "get_chunk_n_rows",
    "is_content",
    "is_table",
    "item_ids_of_rows",
    "positive_integers",
    "reading",
    "restores_on_error",
    "validate_data",
    "validate_params",
]

# One float32 for each of these columns takes 400 MB.
_MAX_COLUMNS = 10**8
_SPARSE_FORMATS = ("csr", "csc", "coo")

_LARGEST_INTEGER = 2**31 - 1
_SMALLEST_POSITIVE = float(np.finfo(np.float32).tiny)


class Interval(_SklearnInterval):
    """The interval of scikit-learn, without booleans and without numbers that overflow.

    Integers have at most 32 bits, and positive numbers are at least the smallest float32.
    """

    def __init__(self, type, left, right, *, closed):
        if type is numbers.Integral and right is None:
            right, closed = _LARGEST_INTEGER, "both" if closed == "left" else "right"
        elif type is numbers.Real and left == 0 and right is None and closed == "neither":
            left, closed = _SMALLEST_POSITIVE, "left"
        super().__init__(type, left, right, closed=closed)

    def is_satisfied_by(self, value):
        return not isinstance(value, bool) and super().is_satisfied_by(value)


_COUNTS = Interval(numbers.Integral, 1, None, closed="left")
N_JOBS = [None, Interval(numbers.Integral, None, None, closed="neither")]


def restores_on_error(method):
    """Decorate a fit method: after an error, the attributes of the estimator are as before.

    A learned array with NaN or infinity is an error too.
    """

    @functools.wraps(method)
    def restoring(self, *args, **kwargs):
        attributes = dict(vars(self))
        try:
            with np.errstate(all="ignore"):
                fitted = method(self, *args, **kwargs)
            check_learned(self, attributes)
            return fitted
        except BaseException:
            vars(self).clear()
            vars(self).update(attributes)
            raise

    return restoring


@contextmanager
def reading(X, *, name):
    """Turn errors about values that are not numbers into clear ones that name the argument."""
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
        raise kind(f"{name} cannot be read as numbers: {error}") from error
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
    check_sparse(X, name=input_name)
    _check_width(X, input_name)
    with reading(X, name=input_name):
        X = _sklearn_check_array(X, input_name=input_name, **options)
    if options.get("ensure_all_finite", True) is True:
        check_magnitude(X, name=input_name)
    return X


def validate_data(estimator, X, y="no_validation", **options):
    """Check X, and y if it is passed, as scikit-learn does, with the checks of `check_array`."""
    check_sparse(X, name="X")
    check_sparse(y, name="y")
    _check_width(X, "X")
    with reading(X, name="X"):
        valid = _sklearn_validate_data(estimator, X, y, **options)
    if not options.get("skip_check_array"):
        for name, array in zip("Xy", valid if isinstance(valid, tuple) else [valid], strict=False):
            check_magnitude(array, name=name)
    return valid


def check_matrix(X, *, name):
    """Return X, dense or sparse, as a canonical float32 `csr_array`, without an estimator."""
    with errors_about_interactions(name):
        X = check_array(X, accept_sparse=_SPARSE_FORMATS, dtype=np.float32, input_name=name)
    return _canonical_csr(X)


def check_rows(estimator, X, *, reset):
    """Return X as a float32 ndarray, or as a canonical float32 `csr_array` if it is sparse."""
    X = validate_data(estimator, X, reset=reset, accept_sparse=_SPARSE_FORMATS, dtype=np.float32)
    return _canonical_csr(X) if sp.issparse(X) else X


def check_rows_or_content(estimator, X, *, reset):
    """Return X as `check_rows` does; texts, and tables with texts, are returned unchanged."""
    if not is_content(X):
        return check_rows(estimator, X, reset=reset)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return X if hasattr(X, "select_dtypes") else np.asarray(check_documents(X), dtype=object)


def check_table(estimator, X, *, reset):
    """Return X as a DataFrame, or as an array of objects."""
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return X if hasattr(X, "columns") else np.asarray(X, dtype=object)


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
        return X.select_dtypes(exclude=["number", "bool"]).shape[1] > 0
    is_sequence = isinstance(X, list | tuple) or getattr(X, "ndim", 0) == 1
    return is_sequence and len(X) > 0 and isinstance(next(iter(X)), str)


def check_interactions(estimator, X, *, reset, nonnegative=True):
    """Return X, dense or sparse, as a canonical float32 `csr_array` of interactions."""
    if reset:
        check_no_log(X, name="X")
    options = {"reset": reset, "accept_sparse": _SPARSE_FORMATS, "dtype": np.float32}
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


def check_item_ids(item_ids, n_items, *, of):
    """Return the ids as an array; raise unless there are `n_items` ids, all different."""
    ids = distinct_ids(item_ids, "item_ids")
    if len(ids) != n_items:
        raise ValueError(
            f"item_ids has {len(ids)} ids, but there are {n_items} {of}: pass one id for each of "
            "them, all different, or None."
        )
    return ids


def check_padded(estimator, X, *, reset, allow_nd=False):
    """Return X as an array of numbers with two axes, or more on request."""
    try:
        return validate_data(estimator, X, reset=reset, dtype="numeric", allow_nd=allow_nd)
    except ValueError as error:
        if "array element with a sequence" not in str(error):
            raise
        raise ValueError(
            "The rows of X have different lengths: pad them to one length with 0 (vectors with "
            "vectors of zeros), as TextSequences and InteractionEncoder.sequences do."
        ) from error


def check_histories(estimator, X, *, reset, ignores_gaps=False):
    """Return X as int32 ids of shape (n_rows, n_steps), from 1 on; 0 means no item.

    With `ignores_gaps`, zeros between ids are allowed.
    """
    _check_not_sparse(X, type(estimator).__name__)
    X = _item_ids(check_padded(estimator, X, reset=reset), ignores_gaps)
    if reset and not ignores_gaps and X.max(initial=0) == 1:
        raise ValueError(
            "X holds nothing but 0 and 1: read as histories, this is always the item with the id "
            f"1. If X is a matrix of interactions, {_SEQUENCES}"
        )
    return X


def item_ids_of_rows(X, *, ignores_gaps=False):
    """Return histories as int32 ids as `check_histories` does, without an estimator."""
    _check_not_sparse(X, "the model")
    return _item_ids(check_array(X, dtype="numeric", input_name="X"), ignores_gaps)


_SEQUENCES = (
    "pass the items of each row in order, such as InteractionEncoder().fit(log).sequences(log)."
)


def _check_not_sparse(X, reader):
    if sp.issparse(X):
        raise TypeError(
            f"X is a sparse matrix, but {reader} reads histories, rows of item ids from 1 on. Do "
            f"not make X dense, because its values would be read as ids: {_SEQUENCES}"
        )


def _item_ids(X, ignores_gaps):
    """Return valid numbers as int32 item ids."""
    if X.dtype.kind not in "iu" and not np.array_equal(X, np.floor(X)):
        raise ValueError(
            "X holds numbers that are not integers: a history is a row of item ids, from 1 on and "
            "padded with 0, as InteractionEncoder.sequences returns it."
        )
    _check_nonnegative(X, "X", cure="Item ids are integers from 1 on, and 0 is padding.")
    check_numbering(int(X.max(initial=0)), "X", "item id")
    if not ignores_gaps and not is_padded_at_one_end(X):
        raise ValueError(
            "X has zeros both before and after ids, but 0 is not an item: it is padding at one end "
            "of all rows. If the items are numbered from 0, add 1 to the ids and not to the "
            f"padding. If X is a matrix of interactions, {_SEQUENCES}"
        )
    return X.astype(np.int32)


def check_sample_domain(sample_domain, n_rows, *, both=False):
    """Return the mask of the rows of the source, or None if `sample_domain` is None.

    `sample_domain` is a number for each row, or one for all: above zero for the source, below zero
    for the target. With `both`, there must be rows of both domains.
    """
    if sample_domain is None:
        return None
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


def check_targets(y, *, n_rows, nonnegative=False):
    """Return y as a canonical float32 `csr_array` with `n_rows` rows.

    `y` is a (n_rows, n_items) matrix, or one integer column index per row.
    """
    check_no_log(y, name="y")
    with errors_about_interactions("y"):
        y = _two_dimensional(y, n_items=None, name="y")
        y = check_array(y, accept_sparse=_SPARSE_FORMATS, dtype=np.float32, input_name="y")
    if y.shape[0] != n_rows:
        raise ValueError(
            f"X has {n_rows} rows and y has {y.shape[0]}: row i of y must hold the target items "
            "of row i of X."
        )
    y = _canonical_csr(y)
    _check_not_tiny(y, "y")
    if nonnegative:
        _check_nonnegative(y, "y")
    return y


def check_relevance(y, *, n_rows, n_items=None, name="y"):
    """Return the relevant items of each row as a canonical `csr_array`.

    `y` is a (n_rows, n_items) matrix, or one integer column index per row.
    """
    y = _two_dimensional(y, n_items=n_items, name=name)
    y = check_array(y, accept_sparse=_SPARSE_FORMATS, dtype=np.float32, input_name=name)
    if y.shape[0] != n_rows or (n_items is not None and y.shape[1] != n_items):
        raise ValueError(
            f"{name} has shape {y.shape}, expected ({n_rows}, {n_items}): one row for each row of "
            "X and one column for each item that can be recommended."
        )
    return _canonical_csr(y)


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


def check_count(value, *, name, maximum, of):
    """Raise unless `value` is an integer from 1 to `maximum`, which the error calls `of`."""
    if not _COUNTS.is_satisfied_by(value) or value > maximum:
        raise ValueError(f"{name} must be an integer from 1 to {of}={maximum}, got {value!r}.")


def positive_integers(sizes, *, name):
    """Return the sizes as a tuple of int, each at least 1."""
    sizes = tuple(sizes)
    if not all(_COUNTS.is_satisfied_by(size) for size in sizes):
        raise ValueError(f"{name} must hold integers from 1 on, got {sizes!r}.")
    return tuple(int(size) for size in sizes)


def check_candidates(candidates, n_items, *, name="candidates", takes_mask=True):
    """Return candidates, column indices or a boolean mask, as sorted unique indices."""
    if candidates is None:
        return None
    candidates = np.asarray(as_array(candidates, name=name))
    if takes_mask and candidates.dtype == bool and candidates.shape == (n_items,):
        candidates = np.flatnonzero(candidates)
    if candidates.ndim != 1 or candidates.dtype.kind not in "iu" or candidates.size == 0:
        mask = f", or a boolean mask of shape ({n_items},)" if takes_mask else ""
        raise ValueError(
            f"{name} must be a non-empty 1-D array of integer column indices{mask}; got "
            f"{reprlib.repr(candidates.tolist())}, of dtype {candidates.dtype} and shape "
            f"{candidates.shape}. InteractionEncoder.items_ holds the id of each column."
        )
    candidates = np.unique(candidates)
    if candidates[0] < 0 or candidates[-1] >= n_items:
        raise ValueError(
            f"{name} must lie between 0 and {n_items - 1}, got values from "
            f"{candidates[0]} to {candidates[-1]}."
        )
    return candidates


def check_columns(columns, n_columns, *, name):
    """Return columns of X, indices, a mask or a slice, as sorted unique indices."""
    if isinstance(columns, slice):
        found = np.arange(n_columns)[columns]
        if not found.size:
            raise ValueError(f"{name}={columns} holds none of the n_features={n_columns} columns.")
        columns = found
    return check_candidates(columns, n_columns, name=name)


def check_exclusions(exclude_interactions, shape):
    """Return the interactions to leave out as a `csr_array` of the given shape."""
    excluded = check_array(
        exclude_interactions,
        accept_sparse=_SPARSE_FORMATS,
        dtype=np.float32,
        input_name="exclude_interactions",
    )
    if excluded.shape != shape:
        raise ValueError(
            f"exclude_interactions has shape {excluded.shape}, expected {shape}: one row for each "
            "row of X, one column for each item that can be recommended."
        )
    return _canonical_csr(excluded)


def _canonical_csr(X):
    """Return X as a sorted `csr_array` without duplicates or stored zeros; X does not change."""
    canonical = sp.csr_array(X)
    index_dtype = sp.get_index_dtype(maxval=max(*canonical.shape, canonical.nnz))
    if canonical.indices.dtype != index_dtype:
        canonical = sp.csr_array(
            (
                canonical.data,
                canonical.indices.astype(index_dtype),
                canonical.indptr.astype(index_dtype),
            ),
            shape=canonical.shape,
        )
    if not canonical.has_canonical_format or not canonical.data.all():
        canonical = canonical.copy()
        canonical.sum_duplicates()
        canonical.eliminate_zeros()
    return canonical


def _check_width(X, name):
    if sp.issparse(X) and X.ndim == 2:
        check_numbering(X.shape[1] - 1, name, "column")


def check_numbering(largest, name, what):
    """Raise if a column number is so large that it must be an id."""
    if largest >= _MAX_COLUMNS:
        raise ValueError(
            f"{name} has the {what} {largest}, and models hold numbers for every {what} up to the "
            "largest one. It looks like an id of a log: number the items with InteractionEncoder."
        )


_DROP_OR_SHIFT = "Interactions are counts or strengths: drop or shift the negative ones."


def _check_nonnegative(X, name, *, cure=_DROP_OR_SHIFT):
    smallest = (X.data if sp.issparse(X) else X).min(initial=0)
    if smallest < 0:
        raise ValueError(
            f"Negative values in data passed to {name}: the smallest is {smallest:g}. {cure}"
        )


def _two_dimensional(y, *, n_items, name):
    """Return y unchanged, or the indicator matrix of a y with one column index per row."""
    y = as_array(y, name=name)
    return _one_item_per_row(y, n_items=n_items, name=name) if y.ndim == 1 else y


def _one_item_per_row(y, *, n_items, name):
    """Return the indicator matrix of one integer column index per row."""
    if y.dtype.kind not in "iu":
        raise ValueError(
            f"{name} is 1-D with dtype {y.dtype}: a 1-D {name} must hold one integer column index "
            "for each row. Otherwise pass a 2-D matrix of shape (n_rows, n_items)."
        )
    if n_items is None:
        check_numbering(int(y.max(initial=0)), name, "column")
        n_items = int(y.max(initial=0)) + 1
    if y.size and not (y.min() >= 0 and y.max() < n_items):
        raise ValueError(
            f"{name} holds column indices from {y.min()} to {y.max()}, expected 0 to {n_items - 1}."
        )
    ones = np.ones(len(y), dtype=np.float32)
    return sp.csr_array((ones, y, np.arange(len(y) + 1)), shape=(len(y), n_items))
