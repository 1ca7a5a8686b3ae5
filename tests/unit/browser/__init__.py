"""Tests of the browser that other tests use."""
