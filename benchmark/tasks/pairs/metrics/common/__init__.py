"""What metrics of pairs have in common."""
