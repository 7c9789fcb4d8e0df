"""Questions for people: previews, Label Studio there and back, votes and agreement."""
