"""Measurements of this project on the current machine."""
