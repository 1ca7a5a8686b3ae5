"""Tests of the demo image server."""
