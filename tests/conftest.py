"""The fixture of element types, and: nothing is skipped where all is required."""

from collections.abc import Generator
from typing import TypeVar

import pytest

from support import REQUIRE

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> str:
    """Run the test once for each element type."""
    return str(request.param)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[
    None, pytest.TestReport, pytest.TestReport
]:
    """Fail a skipped test where everything is required."""
    return _never_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    """Fail a skipped module where everything is required."""
    return _never_skipped((yield))


def _never_skipped(report: _Report) -> _Report:
    if REQUIRE and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        report.outcome = "failed"
        report.longrepr = f"RECURRENTNN_REQUIRE=1 and yet {reason}"
    return report
