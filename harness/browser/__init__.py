"""A real browser, Debian's Chromium, and what a visitor sees with it."""
