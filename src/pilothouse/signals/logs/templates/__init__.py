"""Go's text/template with the functions that Loki lists, for `line_format` and `label_format`.

Own code, because no Python library speaks this language. Sources: pkg.go.dev/text/template, fmt and time; Loki,
"LogQL template functions".
"""

from pilothouse.signals.logs.templates.functions import TemplateFailureError
from pilothouse.signals.logs.templates.parsing import TemplateError
from pilothouse.signals.logs.templates.running import Template, template

__all__ = ["Template", "TemplateError", "TemplateFailureError", "template"]
