"""What things are, and how they lie on disk. Imports nothing of ours."""
