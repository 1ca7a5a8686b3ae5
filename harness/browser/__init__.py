"""Runs a real browser, Debian's Chromium, and reads what a visitor sees in it."""
