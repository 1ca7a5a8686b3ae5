"""Tests of `idr transfer` and `idr manifest`."""
