"""What can be wrong with a template."""


class TemplateError(ValueError):
    """A template that cannot be parsed, or that failed while it ran.

    ``line`` and ``column`` count from 1 within the template named ``template``; 0 means unknown.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0, template: str = "") -> None:
        self.message = message
        self.line = line
        self.column = column
        self.template = template
        place = f"{template or 'template'}:{line}:{column}: " if line else ""
        super().__init__(f"{place}{message}")
