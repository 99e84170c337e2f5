"""One module for each part of the product; importing one registers its targets."""
