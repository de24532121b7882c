# SPDX-License-Identifier: BSD-3-Clause
"""Numerical functions: arrays in, arrays out. They know neither estimators nor domains."""
