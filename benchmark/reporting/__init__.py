"""From results to tables, verdicts, text, pictures and MLflow."""
