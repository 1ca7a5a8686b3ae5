"""Tests of what the browser of the other tests sees."""
