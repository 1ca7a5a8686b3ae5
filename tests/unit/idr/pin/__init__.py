"""Tests of `idr pin`."""
