"""One hostile visitor against the local IDR, and what others notice of it."""
