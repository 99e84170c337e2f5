"""The way of rows into the tables: acknowledged when logged, inserted in large blocks, each once."""
