"""Replaces the IDR's search application: the same settings, the same client of its engine, two of its addresses.

Like omero_search_engine 0.7 it reads ~/.app_config.yml, or else /etc/searchengine/.app_config.yml, writes its log to
~/logs, and speaks TLS with a name and password to the engine, whose certificate it does not verify.
"""

import base64
import json
import os
import ssl
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

DEPLOYED = Path("/etc/searchengine/.app_config.yml")
NEEDED = ("CACHE_FOLDER", "SECRET_KEY", "PAGE_SIZE", "CACHE_ROWS", "MAX_RETUNED_ITEMS", "BASE_FOLDER")
Answer = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def create_app(name: str) -> Answer:
    """Return the application for gunicorn."""
    own = Path("~/.app_config.yml").expanduser()
    config = yaml.safe_load((own if own.is_file() else Path(os.environ.get("DEPLOYED", DEPLOYED))).read_text())
    for key in NEEDED:
        _ = config[key]
    names = [source["name"] for source in config["DATA_SOURCES"] if source.get("CSV") or source.get("DATABASE")]
    if name != "production" or config["DEFAULT_DATASOURCE"] not in names:
        raise ValueError(config["DEFAULT_DATASOURCE"])
    if urlsplit(config["ELASTICSEARCH_URL"]).scheme != "https":
        raise ValueError(config["ELASTICSEARCH_URL"])
    Path("~/logs").expanduser().mkdir(exist_ok=True)

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["SCRIPT_NAME"] != "/searchengine":
            status, body = "500 Internal Server Error", {"error": "its addresses do not begin with /searchengine"}
        elif environ["PATH_INFO"] == "/api/v1/resources/":
            status, body = "200 OK", {"message": "OMERO search engine (API V1)"}
        elif environ["PATH_INFO"] == "/api/v1/resources/image/searchvalues/":
            value = parse_qs(environ["QUERY_STRING"])["value"][0]
            status, body = "200 OK", _search(config, value)
        else:
            status, body = "404 Not Found", {"error": "You may use '/searchengine/api/v1/resources/'"}
        start(status, [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]

    return application


def _search(config: dict[str, Any], value: str) -> dict[str, Any]:
    login = base64.b64encode(f"elastic:{config['ELASTIC_PASSWORD']}".encode()).decode()
    query = json.dumps({"query": {"match": {"value": value}}, "size": config["PAGE_SIZE"]}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {login}"}
    url = f"{config['ELASTICSEARCH_URL']}/key_values/_search"
    request = urllib.request.Request(url, query, headers)  # noqa: S310  # https, as it was checked
    unverified = ssl._create_unverified_context()  # noqa: S323  # as the true one
    with urllib.request.urlopen(request, context=unverified, timeout=30) as answer:  # noqa: S310  # the same
        hits = json.load(answer)["hits"]["hits"]
    return {"data": [hit["_source"] for hit in hits], "total_number": len(hits)}
