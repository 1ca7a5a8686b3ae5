"""Tests of dev/image: caching and package sources."""
