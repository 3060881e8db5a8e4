"""What scripts/costs counts, and how."""
