"""Compares the front end with nginx with static files, nginx without a cache, HTTP/1.1 and Varnish."""
