"""What a reply says: letters, names, regions, or nothing; by stated rules, never by chance."""
