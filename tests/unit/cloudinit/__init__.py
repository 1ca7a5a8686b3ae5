"""Tests of what runs on nodes."""
