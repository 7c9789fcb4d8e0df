"""Questions about where: names to regions, regions to names, regions to words."""
