"""Scores of replies, and how sure they are."""
