"""One linter over every file that people write."""
