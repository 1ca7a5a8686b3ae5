"""Tests of `idr storage`."""
