"""Ratios measured in one run; see __main__."""
