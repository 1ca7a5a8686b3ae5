"""Tests of `make up`."""
