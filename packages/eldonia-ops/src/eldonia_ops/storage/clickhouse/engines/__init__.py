"""Where ClickHouse runs, in this process or on a server, behind one contract; the blocks that it takes."""
