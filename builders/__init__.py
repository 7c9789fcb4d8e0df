"""Raw root to shards. Imports schema."""
