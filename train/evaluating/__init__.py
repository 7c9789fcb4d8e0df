"""Model to scores: predictions, robustness, counterfactuals, reports."""
