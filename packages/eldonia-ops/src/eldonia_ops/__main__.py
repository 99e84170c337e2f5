"""``python -m eldonia_ops``: the command line."""

from eldonia_ops.cli.main import main

if __name__ == "__main__":
    main()
