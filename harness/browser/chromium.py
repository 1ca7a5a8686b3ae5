"""Starts Chromium with a new profile, which trusts one authority and resolves one name."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import element_to_be_clickable
from selenium.webdriver.support.ui import WebDriverWait

from dev import debian
from harness.browser.seclusion import secluded
from harness.browser.traffic import Recorder, Traffic, complaints

PACKAGES = Path(__file__).with_name("apt-packages.txt")
CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
WIDTH, HEIGHT = 1600, 1000
LOAD_SECONDS = 120
"""For a page and its contents: OMERO.web may have just started, on a busy machine."""
QUIET_SECONDS = 1.0
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # the sandbox does not start as root; the browser visits only the service under test
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",  # its driver is in another network namespace
    f"--window-size={WIDTH},{HEIGHT}",
)


@dataclass(frozen=True)
class Site:
    """A service for the browser: its name, its address (host:port), and the authority to trust."""

    name: str
    address: str
    authority: str
    """PEM of the certificate authority."""


@dataclass
class Browser:
    """A running Chromium."""

    driver: Chrome
    site: Site

    def open(self, path: str) -> None:
        """Open a page of the site and wait until it is loaded; requests of its scripts may still be open."""
        self.driver.get(f"https://{self.site.name}/{path}")

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page and return its result."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: object, seconds: float = LOAD_SECONDS) -> Any:
        """Run a script in the page until its result is true, and return the result. Raises TimeoutException."""
        condition = WebDriverWait(self.driver, seconds, poll_frequency=0.1)
        return condition.until(lambda _: self.run(script, *arguments), f"never true: {script}")

    def click(self, path: str) -> None:
        """Click with the mouse on the first match of an XPath, as soon as it exists. Raises TimeoutException."""
        WebDriverWait(self.driver, LOAD_SECONDS).until(element_to_be_clickable((By.XPATH, path)), path).click()

    def forget(self) -> None:
        """Empty the browser's cache."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCache", {})

    def traffic(self) -> Traffic:
        """Return requests and messages since the last call. Wait until all responses are complete."""
        recorder, deadline = Recorder(), time.monotonic() + LOAD_SECONDS
        quiet_since = time.monotonic()
        while time.monotonic() < min(quiet_since + QUIET_SECONDS, deadline) or (
            recorder.waiting and time.monotonic() < deadline
        ):
            if recorder.note(self._log("performance")):
                quiet_since = time.monotonic()
            time.sleep(0.1)
        return Traffic(recorder.requests(), complaints(self._log("browser")))

    def _log(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]  # selenium gives it no types
        return entries

    def picture(self, file: Path) -> None:
        """Save a screenshot as a PNG file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.driver.get_screenshot_as_png())


@contextmanager
def chromium(folder: Path, site: Site) -> Iterator[Browser]:
    """Run a browser with an empty profile until the end of the block. `folder` is its home directory.

    Raises PackageError when Chromium is missing and cannot be installed.
    """
    debian.ensure(debian.read_list(PACKAGES), print)
    home = folder / "home"
    _trust(home, site.authority)
    with secluded(folder, site.address) as namespace:
        driver = Chrome(_options(folder, site, namespace), Driver(DRIVER, env=_environment(home)))
        driver.set_page_load_timeout(LOAD_SECONDS)
        driver.set_script_timeout(LOAD_SECONDS)
        try:
            yield Browser(driver, site)
        finally:
            driver.quit()


def _options(folder: Path, site: Site, namespace: str) -> ChromeOptions:
    program = folder / "chromium"
    program.write_text(f'#!/bin/sh\nexec ip netns exec {namespace} {CHROMIUM} "$@"\n')
    program.chmod(0o755)
    options = ChromeOptions()
    options.binary_location = str(program)
    for option in OPTIONS:
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={folder / 'profile'}")
    options.add_argument(f"--host-resolver-rules=MAP {site.name} 127.0.0.1")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return options


def _environment(home: Path) -> Mapping[str, str]:
    """Return the environment. Chromium reads authorities from the NSS database in HOME."""
    return {**os.environ, "HOME": str(home)}


def _trust(home: Path, authority: str) -> None:
    """Create the NSS database in a home directory, with one authority for servers. Raises CalledProcessError."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    store = f"sql:{database}"
    subprocess.run(["certutil", "-N", "-d", store, "--empty-password"], check=True)
    command = ["certutil", "-A", "-d", store, "-n", "authority", "-t", "C,,"]
    subprocess.run(command, input=authority, text=True, check=True, stdout=subprocess.DEVNULL)
