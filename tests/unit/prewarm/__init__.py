"""Tests of the pre-warm."""
