"""HTTP: our own API, the compatible protocols, the pages."""
