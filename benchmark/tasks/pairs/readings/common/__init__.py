"""What readings have in common."""
