# SPDX-License-Identifier: BSD-3-Clause
"""The engine of all networks: builders, objectives, training and fitted state.

Feature learners and recommenders stand on it alike. It is the only part that imports Keras and
scikeras, inside functions.
"""
