# SPDX-License-Identifier: BSD-3-Clause
"""The columns of a table as arrays, which are saved as data."""

import numpy as np

from .._extras import import_pandas


class TableColumns:
    """What a DataFrame holds but its index, in arrays of numpy.

    A column of another type of pandas than texts, such as a category, stays an array of pandas.

    Parameters
    ----------
    table : DataFrame
    """

    def __init__(self, table):
        columns = [table.iloc[:, place] for place in range(table.shape[1])]
        self.names = table.columns.tolist()
        self.dtypes = [str(column.dtype) if _is_plain(column) else None for column in columns]
        self.arrays = [
            column.to_numpy() if _is_plain(column) else column.array for column in columns
        ]
        self.shape = table.shape

    def table(self, index):
        """Return the DataFrame with this index."""
        pandas = import_pandas()
        columns = [
            pandas.Series(array, dtype=dtype)
            for array, dtype in zip(self.arrays, self.dtypes, strict=True)
        ]
        table = pandas.DataFrame(dict(enumerate(columns)), index=range(self.shape[0]))
        return table.set_axis(pandas.Index(self.names), axis=1).set_axis(index, axis=0)


def _is_plain(column):
    return isinstance(column.dtype, np.dtype) or column.dtype.name in ("str", "string")
