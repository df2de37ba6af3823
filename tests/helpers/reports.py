"""What tests hand to the summary at the end of a test run."""

ORACLE_DEVIATION = "oracle deviation"
"""A property of tests' reports, which reaches the summary from whatever process ran the test."""
