"""A small marketplace backend, and the outside world around it: payment gateway, customers, message receivers."""
