"""What an application reports about its payment gateway."""

from eldonia_telemetry import metrics


def expect() -> None:
    """Show both outcomes at 0 from the start, so that the first error is seen as an increase."""
    metrics.standard.payments.labels("success")
    metrics.standard.payments.labels("error")


def succeeded() -> None:
    """The gateway answered, with yes or with a refusal of the customer's card."""
    metrics.standard.payments.labels("success").inc()


def failed() -> None:
    """The gateway did not do its work: an error, no answer, no connection."""
    metrics.standard.payments.labels("error").inc()
