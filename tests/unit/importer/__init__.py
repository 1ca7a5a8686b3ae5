"""Tests of in-place imports."""
