"""Log records: their rows and blocks, the statements that find them, and how they go."""
