"""Copies of one picture: finding them, keeping them on one side of a split, and telling what a folder holds."""
