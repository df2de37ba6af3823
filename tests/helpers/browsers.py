"""A real browser without a window, where there is one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """Start Chromium with its profile below ``folder``, downloads in ``downloads`` there; skip without it."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="the package selenium is not installed")
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("there is no chromium with its chromedriver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    profile = f"--user-data-dir={folder / 'profile'}"
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", profile):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(folder / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    one = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield one
    finally:
        one.quit()
