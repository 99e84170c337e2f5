"""Rule groups at work, and what pages show of them."""
