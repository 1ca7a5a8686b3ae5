"""The front end beside its peers: nginx with static files, nginx without a cache, HTTP/1.1, Varnish."""
