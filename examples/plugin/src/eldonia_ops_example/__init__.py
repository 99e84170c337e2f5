"""What another package can add to Eldonia Ops: see docs/extending.md."""
