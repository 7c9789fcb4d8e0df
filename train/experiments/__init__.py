"""Compositional-generalization experiments: plan, run, report."""
