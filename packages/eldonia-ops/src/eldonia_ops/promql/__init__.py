"""The query language: text to tree, tree to a plan of what to fetch, plan and data to a result."""
