"""The report as a reader meets it: opened offline in a browser, every figure looked at."""

import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from waiting import LIMIT

SUBJECTS = {
    "Entropy": ["local entropy", "lattice gallery"],
    "Flow of beta": ["beta flow", "thermometer"],
    "Losses": ["loss curves", "reconstructions", "autoencoder wide range losses"],
    "Weights": ["weight matrices", "spin correlations"],
}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="needs Chromium and its driver (Debian: chromium, chromium-driver)",
    ),
]


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in (
        "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
        "disable-background-networking", "disable-component-update", "disable-sync",
    ):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_window_size(1400, 900)
    yield driver
    driver.quit()


def click(browser, text):
    path = f"//*[normalize-space(text())='{text}']"
    WebDriverWait(browser, LIMIT).until(lambda b: b.find_elements(By.XPATH, path))
    browser.find_elements(By.XPATH, path)[0].click()


def test_certificates_are_in_the_report(smoke_run, browser):
    browser.get((smoke_run.path / "results/smoke/report.html").as_uri())
    for text in ("Results", "Lattices"):
        click(browser, text)
    path = "//*[normalize-space(text())='certificates']"
    WebDriverWait(browser, LIMIT).until(lambda b: b.find_elements(By.XPATH, path))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_lists_its_figures_without_an_error(smoke_run, browser, subject):
    browser.get((smoke_run.path / "results/smoke/report.html").as_uri())
    for text in ("Results", "A. Autoencoder against decimation", subject):
        click(browser, text)
    for figure in SUBJECTS[subject]:
        path = f"//*[starts-with(normalize-space(text()), '{figure} (Figure')]"
        WebDriverWait(browser, LIMIT).until(lambda b, p=path: b.find_elements(By.XPATH, p))
    errors = [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
    assert errors == []
