"""Tracking of finished tables and trainings in MLflow."""
