"""Questions about where: names to regions, regions to names, regions to words; and how a prompt is drawn at use."""
