"""Which regular expressions a site's own nginx locations may have."""

from pathlib import Path

import pytest

from model.nginx_snippets import read
from model.site_folder import FileError

POLYNOMIAL = "(.*)/(.*)/(.*)y"


def snippet(folder: Path, directive: str) -> None:
    """Read a file with a location that has this directive."""
    (folder / "nginx").mkdir()
    (folder / "nginx" / "own.nginx").write_text(f"location /own/ {{\n{directive}\n}}\n")
    read("nginx", folder)


@pytest.mark.parametrize(
    "directive",
    [
        f"rewrite {POLYNOMIAL} /$1;",
        f'rewrite "{POLYNOMIAL}" /$1;',
        f"location ~ {POLYNOMIAL} {{ return 200; }}",
        f"location ~* {POLYNOMIAL} {{ return 200; }}",
        f"location ~*{POLYNOMIAL} {{ return 200; }}",
        f"if ($request_uri ~ {POLYNOMIAL}) {{ return 200; }}",
        f'if ( $request_uri !~* "{POLYNOMIAL}" ) {{ return 200; }}',
        f"proxy_redirect ~{POLYNOMIAL} /$1;",
        "rewrite ^/(?<name>(a+)+)$ /$name;",
    ],
)
def test_an_expression_that_an_address_could_keep_busy_is_refused(tmp_path: Path, directive: str) -> None:
    with pytest.raises(FileError, match=r"own\.nginx: .* would keep the site busy for seconds"):
        snippet(tmp_path, directive)


@pytest.mark.parametrize(
    "directive",
    [
        "rewrite ^/own/(.*)$ /$1;",
        "location ~ \\.(png|jpg)$ { return 200; }",
        "if ($request_uri ~* ^/own/([^/]*)/([^/]*)$) { return 200; }",
        "if ($http_x = ~) { return 200; }",
        "rewrite ^/own/(?<name>[a-z]+)$ /$name;",
        "rewrite ^/own/\\h+$ /;",
    ],
)
def test_other_expressions_are_nginx_and_gixys(tmp_path: Path, directive: str) -> None:
    snippet(tmp_path, directive)
