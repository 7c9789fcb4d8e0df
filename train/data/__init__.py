"""Conversations in a seeded order, as `datasets` objects that TRL takes."""
