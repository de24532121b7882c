"""Numerical functions: arrays in, arrays out. They know neither estimators nor domains."""
