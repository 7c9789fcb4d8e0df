"""Releases that go on living: what changed between two, what was withdrawn, and what a part of one owes to whom."""
