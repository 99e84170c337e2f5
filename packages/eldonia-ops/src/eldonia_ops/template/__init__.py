"""Go's text/template, as alert rules and notifications use it."""
