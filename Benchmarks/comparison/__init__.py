"""Measures Martlet and its peers in the same run, and writes the tables and plots of docs/performance.md."""
