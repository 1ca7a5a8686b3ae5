"""Unit tests, without engine, cloud or guests."""
