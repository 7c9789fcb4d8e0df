"""Questions to model to scores. Imports schema and generation."""
