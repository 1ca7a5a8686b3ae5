"""Tests of `idr`."""
