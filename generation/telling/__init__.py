"""Questions of knowledge and descriptions, made from metadata, geometry and a file of textbook facts; and their score."""
